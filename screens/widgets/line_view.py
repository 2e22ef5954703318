"""Base of the widgets that show many lines, drawn one by one: they follow the end, scroll both ways, are searched."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.marks import marked
from screens.words import QUIET

FRAME = 1 / 30
"""Seconds between two paintings while lines stream in."""

STRIDE = 8
"""Cells by which a key moves sideways."""


class LineView(ScrollView, can_focus=True, inherit_bindings=False):
    """It follows the end unless it is scrolled up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="lines.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="lines.down"),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False, id="lines.page_up"),
        Binding("pagedown,ctrl+f,space", "page_down", "Page down", show=False, id="lines.page_down"),
        Binding("home,g", "scroll_home", "First line", show=False, id="lines.first"),
        Binding("end,G", "scroll_end", "Last line; follow", show=False, id="lines.last"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="lines.left"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="lines.right"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._due = False
        self._sought: re.Pattern[str] | None = None
        self._found = -1
        self._follows = True
        """It stays at the end while lines come."""
        self._left = 0
        """Cells that are scrolled out at the left."""

    # What it shows.

    @property
    @abstractmethod
    def count(self) -> int:
        """How many lines there are."""

    @abstractmethod
    def text(self, number: int) -> Content:
        """One line, at least as much of it as can be seen."""

    # Painting.

    def grown(self) -> None:
        """There are more lines; painting is left to the next frame, however many come."""
        if not self._due:
            self._due = True
            self.set_timer(FRAME, self.flush)

    def flush(self) -> None:
        """Paint what has come."""
        self._due = False
        self.virtual_size = Size(self.scrollable_content_region.width, self.count)
        self.call_after_refresh(self._to_end)
        self.refresh()

    def on_resize(self) -> None:
        self._to_end()

    def _to_end(self) -> None:
        if self._follows:
            self.scroll_end(animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.is_vertical_scroll_end:
            self._follows = True
        elif new_value < old_value:
            self._follows = False

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = y + round(self.scroll_y)
        if place >= self.count or width <= 0:
            return Strip.blank(width, self.rich_style)
        line = marked(self.text(place), self._sought, 0 if place == self._found else -1)
        more = line.cell_length > self._left + width
        segments = line.render_segments(self.visual_style)
        strip = Strip([Segment(part, style) for part, style, _ in segments])
        strip = strip.crop(self._left, self._left + width)
        if self._left and line.cell_length > 0:
            strip = Strip.join([self._dots(), strip.crop(1)])
        if more:
            strip = Strip.join([strip.crop(0, width - 1), self._dots()])
        return strip.adjust_cell_length(width, self.rich_style)

    def _dots(self) -> Strip:
        """A line goes on there."""
        segments = Content.styled("…", QUIET).render_segments(self.visual_style)
        return Strip([Segment(part, style) for part, style, _ in segments], 1)

    # Moving.

    def action_sideways(self, direction: int) -> None:
        """Never further than the longest line that is in sight."""
        top = round(self.scroll_y)
        seen = range(top, min(self.count, top + self.scrollable_content_region.height))
        longest = max((self.text(number).cell_length for number in seen), default=0)
        last = max(0, longest - self.scrollable_content_region.width)
        self._left = max(0, min(self._left + direction * STRIDE, last))
        self.refresh()

    def action_page_up(self) -> None:
        self.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.scroll_page_down(animate=False)

    def action_scroll_up(self) -> None:
        self.scroll_up(animate=False)

    def action_scroll_down(self) -> None:
        self.scroll_down(animate=False)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_end(animate=False)

    # Search.

    @abstractmethod
    async def places(self, text: str) -> list[int]:
        """The numbers of the lines that hold `text`, in order."""

    def mark(self, sought: re.Pattern[str] | None, line: int = -1) -> None:
        """Mark what is sought, in reverse on the line that was found."""
        self._sought, self._found = sought, line
        self.refresh()

    def reveal(self, line: int) -> None:
        """Scroll to that line, and sideways to what is sought in it."""
        self.scroll_to_region(Region(0, line, 1, 1), animate=False, force=True)
        width = self.scrollable_content_region.width
        found = self._sought.search(self.text(line).plain) if self._sought else None
        if found is not None and not self._left <= found.start() <= found.end() <= self._left + width:
            self._left = max(0, found.end() + 4 - width)
        self.refresh()
