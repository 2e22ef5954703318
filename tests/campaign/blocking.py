"""How long the event loop was kept from its next callback by the one before.

The time a thread waits for a processor is left out: on a busy machine that is nobody's fault here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Blocked:
    """The longest callback so far: seconds, and which one."""

    seconds: float = 0.0
    callback: str = ""


@contextlib.contextmanager
def measured() -> Iterator[Blocked]:
    """Measure every callback of this thread's event loop."""
    worst = Blocked()
    original = asyncio.Handle._run
    statistics = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def waited() -> float:
        """Seconds that this thread was runnable and did not run (proc(5): schedstat)."""
        return int(os.pread(statistics, 100, 0).split()[1]) / 1e9

    def run(handle: asyncio.Handle) -> None:
        before, began = waited(), time.perf_counter()
        try:
            original(handle)
        finally:
            seconds = time.perf_counter() - began
            if seconds > worst.seconds and asyncio.Handle._run is run:  # not after the one that ended the measuring
                seconds -= waited() - before
                if seconds > worst.seconds:
                    worst.seconds, worst.callback = seconds, _described(handle)

    asyncio.Handle._run = run  # type: ignore[method-assign,assignment]
    try:
        yield worst
    finally:
        asyncio.Handle._run = original  # type: ignore[method-assign]
        os.close(statistics)


def _described(handle: asyncio.Handle) -> str:
    """The task that ran, where it was one."""
    return repr(getattr(handle._callback, "__self__", handle))  # type: ignore[attr-defined]
