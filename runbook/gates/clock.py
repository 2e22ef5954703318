"""The time of day: one clock that every gate asks, so that tests can set it."""

from __future__ import annotations

import asyncio
from datetime import datetime, tzinfo
from typing import Protocol

_LOOK_AGAIN = 10.0
"""Seconds after which a long wait looks at the clock again: a host sleeps, and its clock is set."""


class Clock(Protocol):
    """Wall-clock time on this host."""

    zone: tzinfo | None
    """In which a person writes a time; None: the host's own."""

    def now(self) -> datetime:
        """Aware, in the host's local time zone."""
        ...

    async def until(self, moment: datetime) -> None:
        """Return once it is that late."""
        ...


class HostClock:
    """This host's clock and time zone."""

    zone: tzinfo | None = None

    def now(self) -> datetime:
        return datetime.now().astimezone()

    async def until(self, moment: datetime) -> None:
        while True:
            left = (moment - self.now()).total_seconds()
            if left <= 0:
                return
            await asyncio.sleep(min(left, _LOOK_AGAIN))
