"""One writer a run: a file lock that says who holds it and goes away with its process."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from runbook.errors import JournalError
from runbook.record.chain import now
from runbook.text import clean_line

NAME = "driver.lock"

_LOOKS, _INSTANT = 5, 0.02
"""How often, and after how many seconds, a lock that is held is tried again."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who drives a run."""

    who: str
    host: str
    pid: int
    since: str
    """RFC 3339 in UTC."""

    def __str__(self) -> str:
        return f"{self.who} on {self.host}, process {self.pid}, since {self.since}"


def user_name() -> str:
    """The account's name, or its number where the system knows no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


class RunLock:
    """An exclusive `flock` on a file of the run's folder; the kernel frees it when the holder dies."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def take(cls, folder: Path) -> RunLock:
        """Take it; raises JournalError naming the holder when another process has it, OSError from the disk."""
        fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not _taken(fd):
            held = _read(fd)
            os.close(fd)
            raise JournalError(
                f"the run is being driven by {held or 'another process'}",
                where=str(folder),
                remedy="Follow it there, or end it first; one run has one driver.",
            )
        me = Holder(who=user_name(), host=platform.node(), pid=os.getpid(), since=now())
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(asdict(me)).encode(), 0)
        return cls(fd)

    def release(self) -> None:
        """Free it; harmless when done twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _taken(fd: int) -> bool:
    """Whether the lock is ours now; who only looks at it (`holder`) has it for an instant, and is waited for."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_INSTANT)
        else:
            return True
    return False


def holder(folder: Path) -> Holder | None:
    """Who drives the run of this folder right now; None when nobody does."""
    try:
        fd = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(fd) or Holder("somebody", "an unknown host", 0, "an unknown time")
    else:
        return None
    finally:
        os.close(fd)


def _read(fd: int) -> Holder | None:
    try:
        said = json.loads(os.pread(fd, 4096, 0))
        return Holder(
            who=clean_line(str(said["who"])),
            host=clean_line(str(said["host"])),
            pid=int(said["pid"]),
            since=clean_line(str(said["since"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
