"""How a step stands, and what a probe says, in words. Imports nothing: the screens need it before anything is read."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a step stands; beside the verdicts, the states it passes through."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    NEEDS_YOU = "needs you"
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    NOT_HERE = "not here"
    """Not rehearsed: the lab lacks what the step is about."""
    IN_DOUBT = "in doubt"

    @property
    def green(self) -> bool:
        return self in (Status.PASSED, Status.WARNED)

    @property
    def holds(self) -> bool:
        """What comes after may count on it; what a lab lacks does not stop a rehearsal."""
        return self.green or self is Status.NOT_HERE

    @property
    def ended(self) -> bool:
        return self in _ENDINGS


_ENDINGS = frozenset({Status.PASSED, Status.WARNED, Status.FAILED, Status.ERRORED, Status.SKIPPED, Status.IN_DOUBT})
"""The verdicts (`runbook.outcome.Verdict`)."""


class Answer(StrEnum):
    """The four answers of a probe."""

    DONE = "done"
    NOT_DONE = "not done"
    PARTLY = "partly"
    CANNOT_TELL = "cannot tell"
