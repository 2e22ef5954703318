"""A thread of its own for what waits for a disk, and the shortest way there and back from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Writer(Generic[T, R]):
    """Does one thing after another, in the order asked.

    An executor would do, but the way through its futures costs a third of what the disk does.
    """

    def __init__(self, work: Callable[[T], R], name: str) -> None:
        self._work = work
        self._jobs: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[R], T] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, item: T) -> R:
        """The result of the work on `item`, or what it raised; once asked for it is done, also when nobody waits."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._jobs.put((loop, future, item))
        return await future

    def end(self) -> None:
        """Return when all that was asked for is done; harmless when done twice."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, future, item = job
            settle: Callable[[], None]
            try:
                result = self._work(item)
            except BaseException as error:  # noqa: BLE001 - whoever asked is told
                settle = _later(future, future.set_exception, error)
            else:
                settle = _later(future, future.set_result, result)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(settle)


def _later(future: asyncio.Future[R], settle: Callable[[T], None], value: T) -> Callable[[], None]:
    return lambda: None if future.done() else settle(value)
