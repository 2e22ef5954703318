"""What was found of one thing, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing is; the word that people and programs read."""

    OK = "ok"
    WARNING = "warning"
    """Something is odd or not there, and nothing that is known to be needed."""
    MISSING = "missing"
    """It is needed and not there."""
    WRONG = "wrong"
    """It is needed and there, and cannot be used as it is."""

    @property
    def stops(self) -> bool:
        """Whether a run would fail for it."""
        return self in (State.MISSING, State.WRONG)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; all text is clean."""

    state: State
    title: str
    found: str
    remedy: str = ""
    """What to do; empty: nothing."""
