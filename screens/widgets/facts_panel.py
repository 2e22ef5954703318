"""What is true in the room: facts, inputs, windows, people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from runbook.gates.window import TimeWindow, spoken
from runbook.model import Runbook
from runbook.record.overview import Fact, Known, Overview, overview
from runbook.record.state import RunState
from runbook.record.told import Told
from screens.columns import pairs, wrap
from screens.lines import Lines, Searched
from screens.widgets.line_view import LineView
from screens.words import CALM, GOOD, QUIET

PAUSE = 0.2
"""Seconds between two drawings while much happens."""

NAMED = 4
"""Steps that are named where a fact is needed by more."""


class FactLines(Lines):
    """All of it, from top to bottom."""

    def __init__(self) -> None:
        super().__init__()
        self._now = Overview((), (), ())
        self._people: tuple[str, tuple[str, ...]] = ("", ())

    def show(self, now: Overview, told: Told) -> None:
        people = (told.driver, tuple(told.witnesses))
        if (now, people) != (self._now, self._people):
            self._now, self._people = now, people
            self.redraw()

    def lines(self, width: int) -> Iterator[Content]:
        now = self._now
        hold = sum(fact.holds for fact in now.facts)
        yield _heading("Facts", f"{hold} of {len(now.facts)} hold" if now.facts else "the runbook has none", width)
        for fact in now.facts:
            yield from _fact(fact, width)
        yield Content("")
        given = sum(bool(known.value or known.secret) for known in now.inputs)
        yield _heading("Inputs", f"{given} of {len(now.inputs)} known" if now.inputs else "none", width)
        yield from pairs(((known.name, _value(known)) for known in now.inputs), width)
        if now.windows:
            yield Content("")
            yield _heading("Windows", "", width)
            for stage, opens, closes in now.windows:
                window = TimeWindow.of((opens, closes))
                yield from wrap(f"stage {stage}: {spoken(window.opens)} to {spoken(window.closes)}", width)
        yield Content("")
        yield _heading("People", "", width)
        driver, witnesses = self._people
        yield from pairs((("driver", driver or "–"), ("witness", ", ".join(witnesses) or "nobody follows")), width)


class FactsPanel(VerticalScroll, Searched, can_focus=True, inherit_bindings=False):
    """It is drawn some time after something has happened, and only while it is in sight."""

    BINDINGS = LineView.BINDINGS[:6]

    def __init__(self, runbook: Runbook, told: Told, stages: Collection[str]) -> None:
        super().__init__()
        self.border_title = "What is true in the room"
        self._runbook, self._told, self._stages = runbook, told, stages
        self._state = RunState()
        self._lines = FactLines()
        self._due = False

    def compose(self) -> ComposeResult:
        yield self._lines

    def show(self, state: RunState) -> None:
        """It stands like this now."""
        self._state = state
        if self.display and not self._due:
            self._due = True
            self.set_timer(PAUSE, self.flush)

    def flush(self) -> None:
        """Draw it."""
        self._due = False
        self._lines.show(overview(self._runbook, self._state, self._told.since, self._stages), self._told)

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)


def _heading(name: str, said: str, width: int) -> Content:
    left = Content.styled(name, f"bold {CALM}")
    return Content.assemble(left.pad_right(max(1, width - left.cell_length - len(said))), (said, QUIET))


def _fact(fact: Fact, width: int) -> Iterator[Content]:
    sign = ("✓ ", GOOD) if fact.holds else ("○ ", QUIET)
    for number, line in enumerate(wrap(fact.words, width - 2)):
        yield Content.assemble(sign if number == 0 else "  ", line if fact.holds else line.stylize_before(QUIET))
    said = []
    if fact.holds:
        said.append(f"since {fact.by}" + (f", {fact.at[11:19]}" if fact.at else ""))
    elif fact.comes_from:
        said.append(f"will be so after {_names(fact.comes_from)}")
    if fact.needed_by:
        said.append(f"needed by {_names(fact.needed_by)}")
    if said:
        yield from (line.stylize_before(QUIET) for line in wrap("; ".join(said), width, indent=4))


def _names(steps: Sequence[str]) -> str:
    more = len(steps) - NAMED
    return ", ".join(steps[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _value(known: Known) -> Content:
    if known.secret:
        return Content.styled("given, and never shown", QUIET)
    return Content(known.value) if known.value else Content.styled("–", QUIET)
