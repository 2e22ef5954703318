"""What an interactive command leaves running at our terminal, found by a mark in its environment."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "HSM_RUNBOOK_TERMINAL"
"""The variable that holds the mark."""

GRACE = 2.0
"""Seconds between SIGHUP and SIGKILL."""

_PAUSE = 0.02


def new_mark() -> str:
    """A value of its own for one command."""
    return secrets.token_hex(8)


def end_leftovers(mark: str) -> int:
    """End every process of our session that has the mark; how many there were. Blocks for `GRACE` at most, or so.

    A process that went into a session of its own (setsid(2)), as daemons do, is not at the terminal and stays.
    """
    found = set(_marked(mark))
    for pid in found:
        _send(pid, signal.SIGHUP)
        _send(pid, signal.SIGCONT)  # one that is stopped hears nothing
    until = time.monotonic() + GRACE
    while (left := set(_marked(mark))) and time.monotonic() < until:
        time.sleep(_PAUSE)
    while left and time.monotonic() < until + GRACE:
        for pid in left:
            _send(pid, signal.SIGKILL)
        time.sleep(_PAUSE)
        found |= left
        left = set(_marked(mark))
    return len(found)


def _marked(mark: str) -> Iterator[int]:
    """Those that still run; a process of somebody else cannot be looked into, nor ended."""
    wanted, session = f"{MARK}={mark}".encode(), os.getsid(0)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            if wanted in environment and os.getsid(int(folder.name)) == session and not _dead(folder):
                yield int(folder.name)


def _dead(folder: Path) -> bool:
    """Whether it has ended and waits for its parent only (proc_pid_stat(5))."""
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
