"""What a step says while it runs: the last lines, following."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from runbook.finding import matching
from screens.marks import marked

KEPT = 2_000
"""Lines kept; older ones are in the record if they counted."""

FRAME = 1 / 30
"""Seconds between two paintings while lines stream in."""


class LiveOutput(ScrollView, can_focus=True):
    """It follows the end unless it is scrolled up."""

    open = var(False, init=False)
    """Whether it is shown when there is something to show."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Live output"
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._due = False
        self._sought: re.Pattern[str] | None = None
        self._found = -1
        self.display = False

    def write(self, line: str) -> None:
        """Add a line; painting is left to the next frame, however many lines come."""
        self._lines.append(line)
        if not self._due:
            self._due = True
            self.set_timer(FRAME, self.flush)

    def flush(self) -> None:
        """Paint what has come."""
        self._due = False
        following = self.is_vertical_scroll_end
        self.display = self.open and bool(self._lines)
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
        if following:
            self.call_after_refresh(self.scroll_end, animate=False)
        self.refresh()

    def watch_open(self) -> None:
        self.flush()

    def restart(self, lines: Iterable[str] = ()) -> None:
        """Another step, or another attempt: nothing of the one before stays."""
        self._lines.clear()
        self._lines.extend(lines)
        self.flush()

    # Search.

    async def places(self, text: str) -> list[int]:
        """The numbers of the lines that hold `text`."""
        return list(matching(text, self._lines))

    def mark(self, sought: re.Pattern[str] | None, line: int = -1) -> None:
        """Mark what is sought, in reverse on the line that was found."""
        self._sought, self._found = sought, line
        self.refresh()

    def reveal(self, line: int) -> None:
        """Scroll to that line."""
        self.scroll_to_region(Region(0, line, 1, 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = y + round(self.scroll_y)
        text = self._lines[place] if place < len(self._lines) else ""
        line = Content(text).truncate(width, ellipsis=True)
        line = marked(line, self._sought, 0 if place == self._found else -1)
        segments = line.pad_right(width - line.cell_length).render_segments(self.visual_style)
        return Strip([Segment(part, style) for part, style, _ in segments], width)
