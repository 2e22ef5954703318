"""What all full labs share: step-ca, the base image in an engine's folder, and the root of the public CAs.

~/.cache/hsm-runbook/rehearsal/      ($XDG_CACHE_HOME)
    making.lock                      held while shared parts are made
    lock                             held while something is copied or removed
    made-<recipe>/                   the shared parts; another version of the program may have others
    engines/<lab>/                   an engine's folder for each lab: hard links to the shared one
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.full import base_image, public_ca, step_ca, tools
from rehearsal.full.engine import Engine
from runbook.errors import EnvironmentLacks, OperatorStopped
from runbook.paths import cache_folder

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_TREE = "tree"
_USED = "used"
_UNUSED_SECONDS = 7 * 86_400
"""Shared parts that another recipe made go when they have not been used for so long."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Where the shared parts lie."""

    folder: Path

    @property
    def made(self) -> Path:
        """The shared parts of this program's recipe, whole where it exists."""
        return self.folder / f"made-{recipe()}"

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
        """Locked by whoever copies or removes."""
        return self.folder / "lock"

    @property
    def making(self) -> Path:
        """Locked by whoever makes the shared parts."""
        return self.folder / "making.lock"

    @contextlib.contextmanager
    def locked(self, lock: Path | None = None) -> Iterator[None]:
        """Inside, nobody else copies or removes, or, with `making`, makes; waits for the others."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(lock or self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def the_cache() -> Cache:
    """`$XDG_CACHE_HOME/hsm-runbook/rehearsal`, by default in `~/.cache`."""
    return Cache(cache_folder() / "rehearsal")


@functools.cache
def recipe() -> str:
    """What the shared parts depend on, as 16 hex digits. Raises EnvironmentLacks."""
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
    return digest.hexdigest()[:16]


def ensure(say: Callable[[str], None]) -> Cache:
    """The shared parts, made where they are not there; raises EnvironmentLacks."""
    cache = the_cache()
    tools.require(cache.folder)
    if not cache.made.is_dir():
        say("step-ca and the base image, once for all rehearsals (one to three minutes)")
        with cache.locked(cache.making):
            if not cache.made.is_dir():
                _make_anew(cache)
    (cache.made / _USED).touch()
    return cache


def _forget_unused(cache: Cache) -> None:
    """Remove what attempts have left that were broken off, and the shared parts of recipes that nobody uses."""
    for old in cache.folder.glob("making-*"):
        shutil.rmtree(old, ignore_errors=True)
    for other in cache.folder.glob("made-*"):
        used = other / _USED
        if not used.exists() or time.time() - used.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)


def _make_anew(cache: Cache) -> None:
    _forget_unused(cache)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=cache.folder))
    try:
        _run(_make(making))
        (making / _USED).touch()
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


def _run(making: Coroutine[None, None, None]) -> None:
    """To the end, or until a signal asks for one; raises OperatorStopped then."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    async def stoppable() -> None:
        task = asyncio.ensure_future(making)
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            raise OperatorStopped("stopped while the full lab's shared parts were made") from None

    try:
        asyncio.run(stoppable())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _make(folder: Path) -> None:
    tree, binary, run = folder / _TREE, folder / "step-ca", folder / "run"
    public_ca.make_root(folder)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(step_ca.build(binary, folder))
            group.create_task(base_image.bootstrap(tree, folder))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the other one was called off for it
    await base_image.furnish(tree, binary, folder / public_ca.CERTIFICATE, folder)
    async with Engine(folder / "engine", run) as engine:
        await base_image.import_into(engine, tree)
    for part in (tree, folder / "go-cache", run):
        await asyncio.to_thread(shutil.rmtree, part)
