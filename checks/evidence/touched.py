"""What a run has changed, beside what the procedure says it changes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class Listed(StrEnum):
    """How a thing and the list go together."""

    AS_LISTED = "as listed"
    NOT_LISTED = "not listed"
    NOT_TOUCHED = "listed, not touched"


class TouchedThing(Evidence):
    """Something that was changed, or that the list says is changed."""

    kind: ClassVar[str] = "touched_thing"
    state: Listed
    what: ForeignLine
    """`file`, `volume` …"""
    name: ForeignLine
    on: ForeignLine = ""
    """The host or the engine; empty: any."""
    how: tuple[ForeignLine, ...] = ()
    """Each with the step that did it."""
    by: ForeignLine = ""
    """Who else changes it, as the list says; such a thing need not be touched by the run."""

    @property
    def ok(self) -> bool:
        return self.state is Listed.AS_LISTED or (self.state is Listed.NOT_TOUCHED and bool(self.by))

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.on}:{self.name}" if self.on else self.name

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.ok else 'BAD'} {self.what} {self.place}"
        yield from (f"      {line}" for line in self.how)
        if self.by:
            yield f"      {self.by}"


class TouchedTable(Evidence):
    """Everything in its three groups."""

    kind: ClassVar[str] = "touched"
    things: tuple[TouchedThing, ...]

    def those(self, state: Listed) -> tuple[TouchedThing, ...]:
        """One group."""
        return tuple(thing for thing in self.things if thing.state is state)

    def plain(self) -> Iterator[str]:
        for state in (Listed.NOT_LISTED, Listed.NOT_TOUCHED, Listed.AS_LISTED):
            things = self.those(state)
            yield f"{state}: {len(things) or 'none'}"
            for thing in things:
                yield from (f"  {line}" for line in thing.plain())
