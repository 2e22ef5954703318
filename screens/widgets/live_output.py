"""What a step says while it runs: it follows, and goes back to the first of a million lines."""

from __future__ import annotations

import asyncio

from textual.content import Content
from textual.reactive import var

from runbook.finding import matching
from screens.outputs import Output
from screens.widgets.line_view import LineView

AHEAD = 400
"""Characters beyond the edge that are drawn too, so that what is found there is marked."""


class LiveOutput(LineView):
    """The lines of one step; those that are not in memory are read when they come into sight."""

    open = var(False, init=False)
    """Whether it is shown when there is something to show."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Live output"
        self._output: Output | None = None
        self._reading: set[int] = set()
        self.display = False

    @property
    def count(self) -> int:
        return len(self._output) if self._output else 0

    def show(self, output: Output | None) -> None:
        """Another step, or another attempt: nothing of the one before stays."""
        if output is not self._output:
            self._output = output
            self._left, self._follows = 0, True
            self.flush()

    def flush(self) -> None:
        self.display = self.open and self.count > 0
        super().flush()
        self.border_subtitle = self._where()

    def _where(self) -> str:
        """Where one is, once not all of it is in sight."""
        height = self.scrollable_content_region.height
        if not height or self.count <= height:
            return ""
        if self._follows:
            return f"{self.count:,} lines"
        return f"line {round(self.scroll_y) + 1:,} of {self.count:,}, End follows"

    def watch_open(self) -> None:
        self.flush()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.border_subtitle = self._where()

    def text(self, number: int) -> Content:
        line = self._output.line(number) if self._output else ""
        if line is None:
            self._read(number)
            return Content("")
        # A line may be a megabyte long; only what can be seen of it is worth the work.
        until = self._left + self.size.width + AHEAD
        return Content(line[: until if line.isascii() else until * 5])

    def _read(self, number: int) -> None:
        if number not in self._reading:
            self._reading.add(number)
            self.run_worker(self._bring(number), name="read", description="older output", group=f"read {number}")

    async def _bring(self, number: int) -> None:
        if self._output is not None:
            await self._output.read(number)
        self._reading.discard(number)
        self.refresh()

    async def places(self, text: str) -> list[int]:
        if self._output is None:
            return []
        lines = self._output.every()
        return await asyncio.to_thread(lambda: list(matching(text, lines())))

    def reveal(self, line: int) -> None:
        if self._output is not None and self._output.line(line) is None:
            self.run_worker(self._reveal(line), name="reveal", description="older output", group="reveal")
        super().reveal(line)

    async def _reveal(self, line: int) -> None:
        """What stands in a line is known once it is read."""
        if self._output is not None:
            await self._output.read(line)
        super().reveal(line)
