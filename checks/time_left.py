"""Time for what a step starts: it is ended a little before the step is, so that what it said is kept."""

from __future__ import annotations

from runbook.context import Context

MARGIN = 3.0
"""Seconds before the step's deadline."""


def time_left(ctx: Context, margin: float = MARGIN) -> float:
    """Seconds that it may take: all but `margin` of what the step has left, and never less than half of it."""
    return max(ctx.seconds_left - margin, ctx.seconds_left / 2)
