"""One answer for each of many: what is asked, and what a person says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tick(StrEnum):
    """What is said of one item."""

    YES = "yes"
    NOT_YET = "not yet"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Ticked:
    """The answer for one item."""

    tick: Tick
    reason: str = ""
    """Why not; a no has one."""


@dataclass(frozen=True, slots=True)
class ChecklistRequest:
    """Items, each to be answered by itself."""

    title: str
    question: str
    """Put for every item, for example `Has bootstrapped again`."""
    items: tuple[str, ...]
    before: tuple[Ticked | None, ...] = ()
    """What was said of each item the last time, where it was asked before; empty: it never was."""

    def said(self, number: int) -> Ticked | None:
        """What was said of that item (from 0) the last time."""
        return self.before[number] if number < len(self.before) else None


@dataclass(frozen=True, slots=True)
class Checklisted:
    """The answers."""

    answers: tuple[Ticked, ...]
    """One for each item, in order."""
    note: str = ""
