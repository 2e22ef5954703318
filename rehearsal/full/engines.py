"""The engines' folders of labs, in the cache: each begins as the shared one, whose layers it links to."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.full.cache import Cache, the_cache
from runbook.errors import EnvironmentLacks

_LAYERS = ("overlay2", "vfs")
"""Where the engine keeps what layers of images consist of; it never writes to a layer that is whole."""

_DEADLINE = 40.0
"""Seconds for the engine of a program that was killed to end."""
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class EnginePlace:
    """The folder of one lab's engine."""

    folder: Path

    @property
    def data(self) -> Path:
        """The engine's data-root."""
        return self.folder / "data"

    @property
    def lab(self) -> Path:
        """A file that holds the lab's path."""
        return self.folder / "lab"

    @property
    def lock(self) -> Path:
        """Locked as long as anything of the engine lives."""
        return self.folder / "lock"


def place(lab: Path, cache: Cache | None = None) -> EnginePlace:
    """Where this lab's engine is, or would be."""
    name = hashlib.sha256(os.fsencode(lab.resolve())).hexdigest()[:16]
    return EnginePlace((cache or the_cache()).engines / name)


def make(cache: Cache, lab: Path) -> EnginePlace:
    """An engine for this lab that has the base image and nothing else; raises EnvironmentLacks."""
    made = place(lab, cache)
    with cache.locked():
        prune(cache)
        remove(made)
        made.data.mkdir(mode=0o711, parents=True)
        made.lab.write_text(f"{lab.resolve()}\n")
        parts = sorted(cache.data.iterdir())
        linked = [str(part) for part in parts if part.name in _LAYERS]
        copied = [str(part) for part in parts if part.name not in _LAYERS]
        for options, wanted in ((["--link"], linked), ([], copied)):
            done = subprocess.run(
                ["cp", "--archive", *options, "--", *wanted, str(made.data)],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise EnvironmentLacks(
                    f"the engine's folder cannot be made: {done.stderr.strip()[-300:]}", where=str(made.folder)
                )
    return made


def prune(cache: Cache) -> None:
    """Remove the engines of labs that are gone. What an unfinished run needs stays: its lab is there."""
    for engine in all_of(cache):
        if not _lab_is_there(engine) and not is_running(engine):
            remove(engine)


def running(cache: Cache) -> list[str]:
    """The paths of the labs whose engines run now."""
    return [lab_of(engine) for engine in all_of(cache) if is_running(engine)]


def is_running(engine: EnginePlace) -> bool:
    """Whether anything of it lives."""
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(engine.lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            return not _try(fd)
        finally:
            os.close(fd)
    return False


def remove(engine: EnginePlace) -> None:
    """Remove one that does not run; one that is not there is no error."""
    shutil.rmtree(engine.folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def alone(engine: EnginePlace) -> AsyncIterator[int]:
    """Inside, the engine is ours; the descriptor is to be held open by all that belongs to it.

    Waits for the end of one whose program was killed. Raises EnvironmentLacks.
    """
    fd = os.open(engine.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        end = asyncio.get_running_loop().time() + _DEADLINE
        while not _try(fd):
            if asyncio.get_running_loop().time() > end:
                raise EnvironmentLacks(
                    "another program uses the engine of this lab", where=lab_of(engine), remedy="End that one first."
                )
            await asyncio.sleep(_POLL)
        yield fd
    finally:
        os.close(fd)


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def all_of(cache: Cache) -> Iterator[EnginePlace]:
    """Every engine that is there, running or not."""
    if cache.engines.is_dir():
        yield from (EnginePlace(folder) for folder in sorted(cache.engines.iterdir()))


def lab_of(engine: EnginePlace) -> str:
    """The path of its lab; empty where that is unknown."""
    with contextlib.suppress(OSError):
        return engine.lab.read_text().strip()
    return ""


def _lab_is_there(engine: EnginePlace) -> bool:
    lab = lab_of(engine)
    return bool(lab) and Path(lab).is_dir()
