"""What every event has: a name in the journal, and how confidential each of its fields is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Level(StrEnum):
    """Who may read a value when parts of the record are handed out."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `type` is the name in the journal."""

    type: ClassVar[str]
