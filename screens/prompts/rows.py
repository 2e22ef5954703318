"""Lines that are answered one by one with a key, a cursor at the one at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from screens.columns import wrap
from screens.lines import Lines


class Rows(Lines, can_focus=True):
    """A subclass says what stands before each line; the cursor stays where it is when a line is answered."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="rows.down"),
        Binding("enter", "enter", "Give the answers", show=False, id="rows.enter"),
    ]
    left: ClassVar[int]
    """Cells before each line."""

    @dataclass
    class Complete(Message):
        """Enter was pressed, and every line has its answer."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = texts
        self.cursor = 0

    def open(self) -> Sequence[int]:
        """The lines that have no answer, from 0."""
        raise NotImplementedError

    def head(self, number: int, *, here: bool) -> Content:
        """What stands before a line; `left` cells."""
        raise NotImplementedError

    def under(self, number: int) -> str:
        """A remark under a line; empty: none."""
        del number
        return ""

    def lines(self, width: int) -> Iterator[Content]:
        for number in range(len(self._texts)):
            here = number == self.cursor and self.has_focus
            for count, line in enumerate(self._folded(number, width)):
                head = self.head(number, here=here) if count == 0 else Content(" " * self.left)
                yield Content.assemble(head, line.stylize_before("bold") if here else line)

    def _folded(self, number: int, width: int) -> list[Content]:
        remark = self.under(number)
        return [
            *wrap(self._texts[number], width - self.left),
            *(wrap(remark, width - self.left, indent=2) if remark else ()),
        ]

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def action_move(self, by: int) -> None:
        self.cursor = max(0, min(len(self._texts) - 1, self.cursor + by))
        self.moved()

    def action_enter(self) -> None:
        """Done; or on to the next line that has no answer."""
        still = self.open()
        if not still:
            self.post_message(self.Complete())
            return
        self.cursor = next((number for number in still if number >= self.cursor), still[0])
        self.moved()

    def moved(self) -> None:
        """Draw anew, and keep the cursor in sight."""
        self.redraw()
        if isinstance(dialog := self.parent, Widget):
            line = Region(0, self._line_of(self.cursor), 1, 1).translate(self.virtual_region.offset)
            dialog.scroll_to_region(line, animate=False)

    def _line_of(self, number: int) -> int:
        return sum(len(self._folded(before, self.content_size.width)) for before in range(number))

    def on_click(self, event: events.Click) -> None:
        starts = [self._line_of(number) for number in range(len(self._texts))]
        self.cursor = max(number for number, start in enumerate(starts) if start <= max(0, event.y))
        self.redraw()
