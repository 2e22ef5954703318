"""The commands that a step runs, put on record in the order in which they ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from runbook.event import Event
from runbook.ran import Ran


class Commands:
    """Hears of commands at once and writes them beside the step's work, which so does not wait for the disk.

    A step over hundreds of hosts would otherwise wait hundreds of times.
    """

    def __init__(self, step: str, record: Callable[[Event], Awaitable[None]], redact: Callable[[str], str]) -> None:
        self._step = step
        self._redact = redact
        self._record = record
        self._heard: deque[Ran] = deque()
        self._writing: asyncio.Task[None] | None = None

    def hear(self, ran: Ran) -> None:
        """A command has ended."""
        self._heard.append(ran)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name=f"commands of {self._step}")
            # Where nobody asks any more (what is shared outlives its step), a record that is closed is no fault.
            self._writing.add_done_callback(_seen)

    async def recorded(self) -> None:
        """Return once all that was heard is on the disk; raises JournalError where it could not be written."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        try:
            while self._heard:
                await self._record(self._heard.popleft().event(self._step, self._redact))
        finally:
            self._writing = None


def _seen(writing: asyncio.Task[None]) -> None:
    if not writing.cancelled():
        writing.exception()
