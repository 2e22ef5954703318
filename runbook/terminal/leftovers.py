"""Ends what an interactive command leaves running at our terminal. Started by `sweeper`, never imported.

`python -I -S leftovers.py MARK SESSION` — when standard input ends, which the program holds open and which ends with
it, even by SIGKILL, every process of the session that has the mark in its environment is ended; how many there were is
written to standard output. It needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

MARK = "HSM_RUNBOOK_TERMINAL"
"""The variable that holds the mark."""

GRACE = 2.0
"""Seconds between SIGHUP and SIGKILL."""

_PAUSE = 0.02
_QUIET = 3
"""Looks in a row that find nobody: one that was just being made may be missed by the first."""


def end_leftovers(mark: str, session: int) -> int:
    """End every process of the session that has the mark; how many there were.

    It gives up twice `GRACE` after the start, once it has killed them. A process that went into a session of its own
    (setsid(2)), as daemons do, is not at the terminal and stays.
    """
    found: set[int] = set()
    hard = time.monotonic() + GRACE
    quiet, killed = 0, False
    # A machine that stood still may leave no time between the two bounds.
    while quiet < _QUIET and not (killed and time.monotonic() > hard + GRACE):
        left, unclear = _look(mark, session)
        killed = time.monotonic() > hard
        for pid in left:
            if killed:
                _send(pid, signal.SIGKILL)
            elif pid not in found:
                _send(pid, signal.SIGHUP)
                _send(pid, signal.SIGCONT)  # one that is stopped hears nothing
        found |= left
        quiet = 0 if left or (unclear and not killed) else quiet + 1
        if quiet < _QUIET:
            time.sleep(_PAUSE)
    return len(found)


def _look(mark: str, session: int) -> tuple[set[int], bool]:
    """Those that still run, and whether there is one that becomes another program and has no environment meanwhile.

    A process of somebody else cannot be looked into, nor ended.
    """
    wanted = f"{MARK}={mark}".encode()
    marked: set[int] = set()
    unclear = False
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
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


def main(arguments: list[str]) -> None:
    """See the module."""
    mark, session = arguments
    while os.read(0, 512):
        pass
    count = end_leftovers(mark, int(session))
    with contextlib.suppress(BrokenPipeError):  # the program is gone
        os.write(1, f"{count}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])
