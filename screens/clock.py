"""The time of day as the screens show it; one clock, so that it can be made to stand still for a picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbook.gates.clock import Clock, HostClock

HOST: Clock = HostClock()

TICK = 1.0
"""Seconds between two looks at the clock."""


def now() -> datetime:
    """Aware, in the host's time zone."""
    return HOST.now()


def face(moment: datetime) -> str:
    """The time as the record has it, for example `09:10 UTC`."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def left(until: str) -> timedelta | None:
    """From now until a time in RFC 3339, negative afterwards; None where it is no time."""
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        return None
    return moment - now() if moment.tzinfo else None


def since(moment: str) -> float | None:
    """Seconds from a time in RFC 3339 until now, never below 0; None where it is no time."""
    rest = left(moment)
    return None if rest is None else max(0.0, -rest.total_seconds())


def countdown(length: timedelta) -> str:
    """Hours, minutes and seconds, for example `1:04:09` or `4:09`; `0:00` once it is over."""
    # Rounded up: nothing has come before the countdown has ended.
    seconds = max(0, -int(-length.total_seconds() // 1))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
