"""What all full labs share: step-ca, the base image in an engine's folder, and the root of the public CAs.

~/.cache/hsm-runbook/rehearsal/      ($XDG_CACHE_HOME)
    lock                             held while something is made, copied or removed
    made/                            the shared parts; `recipe` says what they were made from
    engines/<lab>/                   an engine's folder for each lab: hard links to the shared one
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from rehearsal.full import base_image, public_ca, step_ca, tools
from rehearsal.full.engine import Engine
from runbook.errors import EnvironmentLacks
from runbook.paths import APPLICATION

_RECIPE = "recipe"
_TREE = "tree"


@dataclass(frozen=True, slots=True)
class Cache:
    """Where the shared parts lie."""

    folder: Path

    @property
    def made(self) -> Path:
        """The shared parts, whole where it exists."""
        return self.folder / "made"

    @property
    def step_ca(self) -> Path:
        """The binary, which is in the base image too."""
        return self.made / "step-ca"

    @property
    def data(self) -> Path:
        """The data-root of an engine with the base image; no engine runs on it."""
        return self.made / "engine"

    @property
    def engines(self) -> Path:
        """The engines' folders of labs."""
        return self.folder / "engines"

    @property
    def lock(self) -> Path:
        """Locked by whoever makes, copies or removes."""
        return self.folder / "lock"

    def is_current(self) -> bool:
        """Whether the shared parts are there, made from the recipe of this program."""
        with contextlib.suppress(OSError):
            return (self.made / _RECIPE).read_text() == recipe()
        return False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Inside, nobody else makes, copies or removes; waits for the others."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def the_cache() -> Cache:
    """`$XDG_CACHE_HOME/hsm-runbook/rehearsal`, by default in `~/.cache`."""
    return Cache(platformdirs.user_cache_path(APPLICATION) / "rehearsal")


def recipe() -> str:
    """What the shared parts depend on, as one line."""
    digest = hashlib.sha256()
    for part in (step_ca.PROGRAM, *base_image.SCRIPTS):
        digest.update(part.read_bytes())
    digest.update(repr(base_image.INGREDIENTS).encode())
    said = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", "golang-github-smallstep-certificates-dev"],
        check=False,
        capture_output=True,
    )
    digest.update(said.stdout + tools.codename().encode())
    return f"{digest.hexdigest()}\n"


def ensure(say: Callable[[str], None]) -> Cache:
    """The shared parts, made where they are not there or are another version's; raises EnvironmentLacks."""
    cache = the_cache()
    tools.require(cache.folder)
    with cache.locked():
        if not cache.is_current():
            say("step-ca and the base image, once for all rehearsals (one to three minutes)")
            _make_anew(cache)
    return cache


def _make_anew(cache: Cache) -> None:
    for old in cache.folder.glob("making-*"):
        shutil.rmtree(old, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=cache.folder))
    try:
        asyncio.run(_make(making))
        shutil.rmtree(cache.made, ignore_errors=True)
        making.rename(cache.made)
    except OSError as error:
        raise EnvironmentLacks(
            f"the full lab's shared parts cannot be written: {error.strerror}",
            where=str(cache.folder),
            remedy="Free some space there, or set XDG_CACHE_HOME to another folder.",
        ) from error
    finally:
        # The logs of what failed are named in the error; they stay until the next attempt.
        for part in (_TREE, "go-cache", "engine") if making.exists() else ():
            shutil.rmtree(making / part, ignore_errors=True)


async def _make(folder: Path) -> None:
    tree, binary, run = folder / _TREE, folder / "step-ca", folder / "run"
    public_ca.make_root(folder)
    async with asyncio.TaskGroup() as group:
        group.create_task(step_ca.build(binary, folder))
        group.create_task(base_image.bootstrap(tree, folder))
    await base_image.furnish(tree, binary, folder / public_ca.CERTIFICATE, folder)
    async with Engine(folder / "engine", run) as engine:
        await base_image.import_into(engine, tree)
    for part in (tree, folder / "go-cache", run):
        await asyncio.to_thread(shutil.rmtree, part)
    (folder / _RECIPE).write_text(recipe())
