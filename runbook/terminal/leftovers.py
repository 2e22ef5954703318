"""What an interactive command leaves running at our terminal, found by a mark in its environment."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

MARK = "HSM_RUNBOOK_TERMINAL"
"""The variable that holds the mark."""

GRACE = 2.0
"""Seconds between SIGHUP and SIGKILL."""

_PAUSE = 0.02
_QUIET = 3
"""Looks in a row that find nobody: one that was just being made may be missed by the first."""


def new_mark() -> str:
    """A value of its own for one command."""
    return secrets.token_hex(8)


def end_leftovers(mark: str) -> int:
    """End every process of our session that has the mark; how many there were. Blocks for twice `GRACE` at most.

    A process that went into a session of its own (setsid(2)), as daemons do, is not at the terminal and stays.
    """
    found: set[int] = set()
    hard = time.monotonic() + GRACE
    quiet = 0
    while quiet < _QUIET and time.monotonic() < hard + GRACE:
        left, unclear = _look(mark)
        for pid in left:
            if time.monotonic() > hard:
                _send(pid, signal.SIGKILL)
            elif pid not in found:
                _send(pid, signal.SIGHUP)
                _send(pid, signal.SIGCONT)  # one that is stopped hears nothing
        found |= left
        quiet = 0 if left or (unclear and time.monotonic() < hard) else quiet + 1
        if quiet < _QUIET:
            time.sleep(_PAUSE)
    return len(found)


def _look(mark: str) -> tuple[set[int], bool]:
    """Those that still run, and whether there is one that becomes another program and has no environment meanwhile.

    A process of somebody else cannot be looked into, nor ended.
    """
    wanted, session = f"{MARK}={mark}".encode(), os.getsid(0)
    marked: set[int] = set()
    unclear = False
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if os.getsid(int(folder.name)) != session:
                continue
            environment = (folder / "environ").read_bytes()
            if wanted in environment.split(b"\0") and not _dead(folder):
                marked.add(int(folder.name))
            unclear = unclear or (not environment and not _dead(folder))
    return marked, unclear


def _dead(folder: Path) -> bool:
    """Whether it has ended and waits for its parent only (proc_pid_stat(5))."""
    return (folder / "stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
