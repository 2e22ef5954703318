"""What was done in the run, in order and with the time: every command, attempt, answer, note and deviation."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from runbook.finding import pattern
from runbook.record.told import KEPT, Act, Line, Told
from screens.folding import breaks
from screens.keys import key_for
from screens.widgets.line_view import LineView
from screens.words import CALM, DOUBT, QUIET

INDENT = 11
"""Cells of time and sign, which what is folded stands under."""

_SIGNS: Mapping[Act, tuple[str, str]] = {
    Act.RUN: ("■", f"bold {CALM}"),
    Act.STEP: ("▸", CALM),
    Act.COMMAND: ("$", "bold"),
    Act.PIN: ("*", f"bold {DOUBT}"),
    Act.TOKEN: ("!", f"bold {DOUBT}"),
    Act.HOST: ("@", QUIET),
    Act.FILE: ("+", QUIET),
    Act.PROBE: ("?", QUIET),
    Act.FACT: ("✓", QUIET),
    Act.INPUT: ("=", QUIET),
    Act.ANSWER: ("›", QUIET),
    Act.WINDOW: ("◷", QUIET),
    Act.PEOPLE: ("&", QUIET),
    Act.NOTE: ("~", "bold"),
    Act.DEVIATION: ("△", f"bold {DOUBT}"),
}
"""A sign one cell wide for each; what the line says tells it too."""


class JournalPanel(LineView):
    """Lines fold; a step's id stands over what belongs to it. It can be reduced to the commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,X", "commands", "commands only", key_display="x", id="journal.commands"),
    ]

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.border_title = "Journal"
        self._told = told
        self._only: Act | None = None
        self._rows: list[Line] = []
        self._starts = array("L")
        """The first line of each row; a row that begins another step has a line more, over it."""
        self._height = 0
        self._folded_at = 0
        """The width that the rows are folded for."""
        self._taken = 0
        """How many lines were taken over of all that were ever told."""

    # Content.

    @property
    def count(self) -> int:
        return self._height

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._folded_at:
            self._again()
        super().on_resize()

    def flush(self) -> None:
        """Take over what was told since."""
        if self.scrollable_content_region.width != self._folded_at or len(self._rows) > 2 * KEPT:
            self._again()
            return
        new = self._told.dropped + len(self._told.lines) - self._taken
        if new > 0:
            kept = min(new, len(self._told.lines))
            self._add(islice(self._told.lines, len(self._told.lines) - kept, None))
            self._taken += new
        super().flush()

    def _again(self) -> None:
        """All of it, for another width or another choice."""
        self._rows.clear()
        del self._starts[:]
        self._height = 0
        self._folded_at = self.scrollable_content_region.width
        self._taken = self._told.dropped + len(self._told.lines)
        self._add(self._told.lines)
        super().flush()
        key = key_for(self.app, "journal.commands")
        self.border_subtitle = f"commands only, {key} shows all" if self._only else f"{key} shows only commands"

    def _add(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if self._only in (None, line.act):
                self._starts.append(self._height)
                self._height += self._head(len(self._rows), line) + 1 + len(self._breaks(line))
                self._rows.append(line)

    def _head(self, row: int, line: Line) -> int:
        """Whether the step's id stands over the row."""
        return int(bool(line.step) and (row == 0 or self._rows[row - 1].step != line.step))

    def _breaks(self, line: Line) -> list[int]:
        room = max(10, self._folded_at - INDENT)
        return breaks(_whole(line), room, room)

    def text(self, number: int) -> Content:
        row = bisect_right(self._starts, number) - 1
        line = self._rows[row]
        place = number - self._starts[row] - self._head(row, line)
        if place < 0:
            return Content.styled(line.step, f"bold {CALM}")
        folds = [0, *self._breaks(line), len(_whole(line))]
        whole = Content.assemble((line.text, "bold" if line.act is Act.COMMAND else ""), (_end(line), QUIET))
        part = whole[folds[place] : folds[place + 1]].rstrip()
        if place:
            return part.pad_left(INDENT)
        sign, style = ("#", "bold") if line.act is Act.COMMAND and "as root" in line.end else _SIGNS[line.act]
        return Content.assemble((f"{line.clock} ", QUIET), (sign, style), " ", part)

    # Looking.

    def action_commands(self) -> None:
        """Only what ran, or everything again."""
        self._only = None if self._only else Act.COMMAND
        self._again()
        self.call_after_refresh(self.scroll_end, animate=False)

    async def places(self, text: str) -> list[int]:
        sought = pattern(text)
        if sought is None:
            return []
        found = []
        for row, line in enumerate(self._rows):
            match = sought.search(_whole(line))
            if match is not None:
                place = bisect_right(self._breaks(line), match.start())
                found.append(self._starts[row] + self._head(row, line) + place)
        return found


def _end(line: Line) -> str:
    return f"  {line.end}" if line.end else ""


def _whole(line: Line) -> str:
    return line.text + _end(line)
