"""What a run has changed, beside what the procedure says it changes."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.touched import Listed, TouchedTable, TouchedThing
from screens.columns import wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, DOUBT, GOOD, QUIET

_LEFT = 9
"""Cells of the sign and the word before each name."""


def _thing(thing: TouchedThing, width: int) -> Iterator[Content]:
    if thing.ok:
        sign, style = ("✓", GOOD) if thing.state is Listed.AS_LISTED else ("·", QUIET)
    else:
        sign, style = ("✗", f"bold {BAD}") if thing.state is Listed.NOT_LISTED else ("▲", DOUBT)
    # Of what other programs have recorded the word may be any.
    short = Content(thing.what).cell_length < _LEFT - 2
    head = Content.assemble((f"{sign} ", style), (f"{thing.what if short else '':<{_LEFT - 2}}", QUIET))
    for number, line in enumerate(wrap(thing.place if short else f"{thing.what} {thing.place}", width - _LEFT)):
        yield Content.assemble(head if number == 0 else " " * _LEFT, line)
    for remark in (*thing.how, *([thing.by] if thing.by else [])):
        yield from wrap(Content.styled(remark, QUIET), width, indent=_LEFT)


@draws(TouchedThing)
class TouchedThingPane(Pane[TouchedThing]):
    """One of them."""

    heading = "Changed"

    def lines(self, width: int) -> Iterator[Content]:
        yield from _thing(self.evidence, width)


@draws(TouchedTable)
class TouchedPane(Pane[TouchedTable]):
    """Three groups: what is not on the list, what was not touched, what is as listed."""

    heading = "Changed by this run"

    def lines(self, width: int) -> Iterator[Content]:
        for number, state in enumerate((Listed.NOT_LISTED, Listed.NOT_TOUCHED, Listed.AS_LISTED)):
            things = self.evidence.those(state)
            if number:
                yield Content("")
            yield from wrap(Content.styled(f"{state}: {len(things) or 'none'}", "bold"), width)
            for thing in things:
                yield from _thing(thing, width)
