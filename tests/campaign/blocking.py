"""How long the event loop was kept from its next callback by the one before.

The time in which a thread of ours waits for a processor is left out, and so is that of a child which has to get as
far as its program before its start returns: on a busy machine they are nobody's fault here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Blocked:
    """The longest callback so far: seconds, and which one."""

    seconds: float = 0.0
    callback: str = ""


class Waits:
    """Seconds that this thread, and the children it started, were runnable and did not run (proc(5): schedstat)."""

    def __init__(self) -> None:
        self._own = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._of_children = 0.0

    def total(self) -> float:
        return _waited(os.pread(self._own, 100, 0)) + self._of_children

    def add_child(self, pid: int) -> None:
        """A child that has just been started."""
        with contextlib.suppress(OSError):
            self._of_children += _waited(Path(f"/proc/{pid}/schedstat").read_bytes())

    def close(self) -> None:
        os.close(self._own)


@contextlib.contextmanager
def measured(*, but: str) -> Iterator[Blocked]:
    """Measure every callback of this thread's event loop, but those of the task of that name."""
    worst, waits = Blocked(), Waits()
    original, original_start = asyncio.Handle._run, subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def run(handle: asyncio.Handle) -> None:
        before, began = waits.total(), time.perf_counter()
        try:
            original(handle)
        finally:
            seconds = time.perf_counter() - began
            if seconds > worst.seconds and asyncio.Handle._run is run:  # not after the one that ended the measuring
                seconds -= waits.total() - before
                task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
                named = task.get_name() if isinstance(task, asyncio.Task) else ""
                if seconds > worst.seconds and named != but:
                    worst.seconds, worst.callback = seconds, repr(task or handle)

    def start(process: Any, *arguments: Any) -> None:
        original_start(process, *arguments)
        waits.add_child(process.pid)

    asyncio.Handle._run = run  # type: ignore[method-assign,assignment]
    subprocess.Popen._execute_child = start  # type: ignore[attr-defined]
    try:
        yield worst
    finally:
        asyncio.Handle._run = original  # type: ignore[method-assign]
        subprocess.Popen._execute_child = original_start  # type: ignore[attr-defined]
        waits.close()


def _waited(statistics: bytes) -> float:
    return int(statistics.split()[1]) / 1e9
