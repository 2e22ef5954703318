"""What steps change, as they tell it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook.event import Event


@dataclass(frozen=True, slots=True)
class Touched(Event):
    """A step changes something, or has just changed it: on disk before the world changes, where it is known then."""

    type: ClassVar[str] = "touched"
    step: str
    what: str
    """`file`, `volume`, `image`, `unit` or `task`."""
    name: str
    """A file by its whole path; a task of Ansible that names no file of its own by its name."""
    on: str
    """The host, by its name in the site profile (`local`: this machine), or the engine."""
    how: str
    """For example `created`, `changed`, `removed`, `committed`."""
