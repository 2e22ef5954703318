"""One writer a run: a file lock that says who holds it, and goes away with it and what it had started.

The lock belongs to an open file description (flock(2)). Whoever ends a driver's processes after it has died has a
descriptor of it too (`held`), so that the run cannot go on while something of it is still at work.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from runbook.errors import JournalError
from runbook.record.chain import now
from runbook.text import clean_line

NAME = "driver.lock"

_LOOKS, _INSTANT = 5, 0.02
"""How often, and after how many seconds, a lock that is held is tried again."""

_ENDING = 10.0
"""Seconds that what a dead driver had started is waited for; it is killed within about four (`supervise.py`)."""

_ours: set[int] = set()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who drives a run."""

    who: str
    host: str
    pid: int
    since: str
    """RFC 3339 in UTC."""

    @property
    def gone(self) -> bool:
        """Whether that process has ended; never known of another host."""
        if self.host != platform.node():
            return False
        try:
            return Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in b"ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True
        except OSError:
            return False

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
    def take(cls, folder: Path, tell: Callable[[str], None] | None = None) -> RunLock:
        """Take it; raises JournalError naming the holder when another process has it, OSError from the disk.

        What a driver that is dead had started is waited for while it is ended; `tell` is told that. Blocking.
        """
        fd = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not (_taken(fd) or _left(fd, tell)):
            held = _read(fd)
            os.close(fd)
            raise _taken_by(held, folder)
        _ours.add(fd)
        me = Holder(who=user_name(), host=platform.node(), pid=os.getpid(), since=now())
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(asdict(me)).encode(), 0)
        return cls(fd)

    def release(self) -> None:
        """Free it; harmless when done twice."""
        if self._fd >= 0:
            _ours.discard(self._fd)
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


def held() -> tuple[int, ...]:
    """The descriptors of the locks of this process, for a child that is to hold them until its own work is done."""
    return tuple(_ours)


def _left(fd: int, tell: Callable[[str], None] | None) -> bool:
    """Whether the lock is ours now, as its holder is dead and what it had started has ended."""
    give_up = time.monotonic() + _ENDING
    told = False
    while (last := _read(fd)) is not None and last.gone:
        if _taken(fd):
            return True
        if time.monotonic() > give_up:
            return False
        if tell is not None and not told:
            tell(f"The last driver ({last}) is gone; what it had started is still being ended …")
            told = True
    return _taken(fd)


def _taken_by(held: Holder | None, folder: Path) -> JournalError:
    if held is not None and held.gone:
        pids = _holding(folder / NAME)
        which = f" (process {', '.join(map(str, pids))} sees to it)" if pids else ""
        return JournalError(
            f"the last driver ({held}) is gone, but what it had started has not ended yet{which}",
            where=str(folder),
            remedy="Try again in a moment. It is killed within seconds, unless it waits for a disk or was stopped.",
        )
    return JournalError(
        f"the run is being driven by {held or 'another process'}",
        where=str(folder),
        remedy="Follow it there, or end it first; one run has one driver.",
    )


def _holding(path: Path) -> list[int]:
    """The other processes that have this file open, as far as this account may see."""
    mine, wanted = os.getpid(), path.stat()
    found = set()
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.path.samestat(fd.stat(), wanted) and int(fd.parts[2]) != mine:
                found.add(int(fd.parts[2]))
    return sorted(found)


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
