"""Processes that outlive a run."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 3.0
"""Seconds for a process that was killed to be gone on a busy machine."""


def adopt_orphans() -> None:
    """From now on what our descendants leave behind becomes a child of ours, where it is seen (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Leftovers:
    """The children of this process that were not there when this was made."""

    def __init__(self) -> None:
        adopt_orphans()
        self._before = _children()

    async def found(self, *expected: int) -> list[str]:
        """What is left, after a short while; it is killed."""
        end = time.monotonic() + _PATIENCE
        while left := _children() - self._before - set(expected):
            if time.monotonic() > end:
                break
            await asyncio.sleep(0.02)
        names = [_name(pid) for pid in left]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return names


def workers() -> list[int]:
    """Our token workers."""
    return [pid for pid in _children() if "checks.hsm.worker" in _name(pid)]


def _children() -> set[int]:
    """Running children; one that only waits to be reaped is none."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return {pid for pid in found if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "gone"
