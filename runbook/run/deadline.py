"""A deadline that does not run while a person is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Deadline:
    """`seconds` of working time. Raises TimeoutError inside `running()` when they are used up."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._since: float | None = None
        """When the clock was last started; None before the work begins."""
        self._pauses = 0
        self._timeout: asyncio.Timeout | None = None

    @property
    def left(self) -> float:
        """Seconds of working time that are left now."""
        if self._since is None or self._pauses:
            return max(self._left, 0.0)
        return max(self._left - (asyncio.get_running_loop().time() - self._since), 0.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The work that has to end in time."""
        self._since = asyncio.get_running_loop().time()
        async with asyncio.timeout(self._left) as self._timeout:
            yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The clock stands still in here; pauses may overlap."""
        now = asyncio.get_running_loop().time
        if self._pauses == 0 and self._since is not None:
            self._left -= now() - self._since
            self._reschedule(None)
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            if self._pauses == 0 and self._since is not None:
                self._since = now()
                self._reschedule(self._since + max(self._left, 0.0))

    def _reschedule(self, when: float | None) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(when)
