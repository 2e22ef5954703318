"""`python -m rehearsal.full.engine_init COMMAND…`: the first process of the engine's namespaces.

It is process 1 of a PID namespace: when it ends, the kernel kills whatever the engine has started, containers too,
so that nothing of a lab survives it. It starts COMMAND (dockerd), reaps what containers leave behind, and ends COMMAND
when its standard input is closed, which the kernel does however the program on the other end dies.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

SHIMS = Path("/run/containerd")
"""Where containerd's shims have their sockets, wherever containerd has its own; in memory, for this namespace alone."""

_GRACE = 25.0
"""Seconds for the engine to stop its containers before all is killed; longer than its own bound for one of them."""


def main(command: list[str]) -> int:
    """The exit status of COMMAND."""
    _arrange()
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=_without_input())
    ending: float | None = None
    while True:
        status = _reap(child)
        if status is not None:
            return os.waitstatus_to_exitcode(status)
        if ending and time.monotonic() > ending:
            return 1  # the kernel kills the rest
        watched = [wake_read] if ending else [wake_read, sys.stdin.fileno()]
        ready, _, _ = select.select(watched, [], [], 1.0)
        woken = os.read(wake_read, 1024) if wake_read in ready else b""
        if not ending and (sys.stdin.fileno() in ready or signal.SIGTERM in woken):
            ending = time.monotonic() + _GRACE
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


def _arrange() -> None:
    SHIMS.mkdir(mode=0o711, parents=True, exist_ok=True)
    for command in (("ip", "link", "set", "lo", "up"), ("mount", "-t", "tmpfs", "-o", "mode=0711", "tmpfs", SHIMS)):
        subprocess.run(command, check=True)


def _without_input() -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]


def _reap(child: int) -> int | None:
    """Every process that has ended; the wait status of `child` where it is among them."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                return status
            if pid == 0:
                break
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
