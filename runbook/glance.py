"""What is shown of a run before its files are read properly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glance:
    """What the first screen shows."""

    id: str
    title: str
    stages: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    """Id, title, and id and title of each step."""
    kind: str
    """Of the first step, for example `check slots`."""
    goal: str
    """Of the first step."""
    site: str
    """Its name; `none` where there is no profile."""
    rehearsal: bool
