"""Lines that are answered one by one with a key, a cursor at the one at hand.

One press answers one line. The cursor stays on it, so a key that is held down answers that line again and no other. A
line that is not wholly on the screen is brought there and has to be answered then. Keys that come faster than fingers
press them were pasted, and their answers are taken back.
"""

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
from screens.prompts.phrase_entry import BURST, TOGETHER


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
    class Refused(Message):
        """An answer was not taken."""

        why: str

    @dataclass
    class Complete(Message):
        """Enter was pressed, and every line has its answer."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self._texts = texts
        self.cursor = 0
        self._last = 0.0
        self._together: list[int] = []
        """Lines that were answered by keys which came together, as many as the keys; -1: the key was another."""

    def open(self) -> Sequence[int]:
        """The lines that have no answer, from 0."""
        raise NotImplementedError

    def take_back(self, number: int) -> None:
        """The line has no answer."""
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

    def on_key(self, event: events.Key) -> None:
        """Before the key does what it is bound to."""
        together = event.time - self._last < TOGETHER
        self._last = event.time
        self._together = [*self._together, -1] if together else [-1]

    def may_answer(self) -> bool:
        """Whether the line at hand may be answered by the key that was pressed; says why not."""
        if not self._in_sight():
            self.moved()
            self._refuse("That line was not wholly on the screen; read it, then answer it.")
            return False
        if self._together:
            self._together[-1] = self.cursor
        if len(self._together) < BURST:
            return True
        for number in {number for number in self._together if number >= 0}:
            self.take_back(number)
        self.moved()
        self._refuse("Too many keys came at once, and their answers are taken back: each line is answered by itself.")
        return False

    def _in_sight(self) -> bool:
        """Whether the whole line at hand is on the screen; of one with too many rows for it, the last."""
        first, rows = self._line_of(self.cursor), len(self._folded(self.cursor, self.content_size.width))
        dialog = self.parent
        if not isinstance(dialog, Widget):
            return True
        shown = self._shown(dialog)
        if rows > shown.height:
            first, rows = first + rows - 1, 1
        return shown.y <= first and first + rows <= shown.y + shown.height

    def _shown(self, dialog: Widget) -> Region:
        """What of these lines the dialog shows, in lines."""
        top = dialog.scroll_offset.y - self.virtual_region.y
        return Region(0, top, 1, dialog.scrollable_content_region.height)

    def _refuse(self, why: str) -> None:
        self.post_message(self.Refused(why))

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
        self.into_sight()

    def into_sight(self) -> None:
        """Scroll to the line at hand."""
        if isinstance(dialog := self.parent, Widget):
            rows = len(self._folded(self.cursor, self.content_size.width))
            line = Region(0, self._line_of(self.cursor), 1, rows).translate(self.virtual_region.offset)
            dialog.scroll_to_region(line, animate=False, immediate=True)

    def _line_of(self, number: int) -> int:
        return sum(len(self._folded(before, self.content_size.width)) for before in range(number))

    def on_click(self, event: events.Click) -> None:
        starts = [self._line_of(number) for number in range(len(self._texts))]
        self.cursor = max(number for number, start in enumerate(starts) if start <= max(0, event.y))
        self.redraw()
