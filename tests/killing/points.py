"""Where a driver is killed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """A moment in the writing of one record."""

    BEFORE = "before"
    """Nothing of it is in the file."""
    TORN = "torn"
    """Half of it is."""
    WRITTEN = "written"
    """All of it is, and it has not been synced."""
    SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class Point:
    """A moment in the writing of the n-th record of a process, from 1."""

    phase: Phase
    number: int

    def __str__(self) -> str:
        return f"{self.phase}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> Point | None:
        """None for `never`."""
        phase, _, number = text.partition(":")
        return cls(Phase(phase), int(number)) if number else None
