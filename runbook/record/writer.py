"""A thread of its own for what waits for a disk, and the shortest way there and back from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Writer(Generic[T, R]):
    """Does one thing after another, in the order asked.

    An executor would do, but the way through its futures costs a third of what the disk does, and a tenth of it is the
    loop's own way to be woken by a thread; hence the eventfd(2).
    """

    def __init__(self, work: Callable[[T], R], name: str) -> None:
        self._work = work
        self._jobs: SimpleQueue[tuple[asyncio.Future[R], T] | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[R], R | None, BaseException | None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        """The loop that is woken."""
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, item: T) -> R:
        """The result of the work on `item`, or what it raised; once asked for it is done, also when nobody waits."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            loop.add_reader(self._fd, self._settle)
            self._loop = loop
        future: asyncio.Future[R] = loop.create_future()
        self._jobs.put((future, item))
        return await future

    async def end(self) -> None:
        """Return when all that was asked for is done; harmless when done twice."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._fd < 0:
            return
        self._settle()
        if self._loop is asyncio.get_running_loop():
            self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = -1

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, item = job
            try:
                self._done.append((future, self._work(item), None))
            except BaseException as error:  # noqa: BLE001 - whoever asked is told
                self._done.append((future, None, error))
            os.eventfd_write(self._fd, 1)

    def _settle(self) -> None:
        """Tell those who wait what came of it; in the loop's thread."""
        with contextlib.suppress(OSError):  # nothing new, or it was told at the end
            os.eventfd_read(self._fd)
        while self._done:
            future, result, error = self._done.popleft()
            if future.done() or future.get_loop().is_closed():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result
