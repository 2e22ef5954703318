"""Where can be searched: the list of steps, the page of the step that is shown, its output."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from textual.geometry import Region
from textual.widget import Widget

from runbook import finding
from runbook.record.state import RunState
from screens.lines import Lines, Searched
from screens.widgets.line_view import LineView
from screens.widgets.step_detail import StepDetail
from screens.widgets.step_list import StepList


class Ground(Protocol):
    """One place to search in; it remembers where one was when the search began."""

    name: str
    """What the places are, for people."""
    where: str
    """What is searched, for people."""
    slow: bool
    """Whether there may be so much that one waits for the end of the typing."""

    @property
    def widget(self) -> Widget:
        """What has the focus while one looks around in it."""
        ...

    async def seek(self, text: str) -> int:
        """Find and mark `text`; the number of places."""
        ...

    def clear(self) -> None:
        """End all marks."""
        ...

    def nearest(self, direction: int = 0) -> int:
        """The index of the place at or after where one is; with a direction, the next one or the one before."""
        ...

    def go(self, index: int) -> None:
        """Show this place."""
        ...

    def restore(self) -> None:
        """Back to where one was."""
        ...


class StepsGround:
    """The steps of the run: what the runbook and the run say of them."""

    name = "steps"
    where = "the steps"
    slow = False

    def __init__(self, steps: finding.Steps, listed: StepList, page: StepDetail, state: Callable[[], RunState]) -> None:
        self._steps, self._list, self._page, self._state = steps, listed, page, state
        self._origin, self._followed = listed.cursor, listed.following
        self._found: list[str] = []

    @property
    def widget(self) -> Widget:
        return self._list

    async def warm(self) -> None:
        """Read what the run says so far, which is slow the first time only."""
        await asyncio.to_thread(self._steps.find, "\0", self._state())

    async def seek(self, text: str) -> int:
        self._found = self._steps.find(text, self._state())
        sought = finding.pattern(text)
        self._list.mark(sought, self._found)
        self._page.mark(finding.pattern(text, folded=True))
        return len(self._found)

    def clear(self) -> None:
        self._list.mark(None)
        self._page.mark(None)

    def nearest(self, direction: int = 0) -> int:
        here = self._list.place(self._list.cursor if direction else self._origin)
        return finding.onward([self._list.place(step) for step in self._found], here, direction)

    def go(self, index: int) -> None:
        self._list.go(self._found[index])

    def restore(self) -> None:
        self._list.go(self._origin)
        if self._followed:
            self._list.follow()


class PageGround:
    """What stands on the page of the step that is shown."""

    name = "places"
    slow = False

    def __init__(self, page: Searched, where: str = "this page") -> None:
        self._page = page
        self.where = where
        self._origin = page.scroll_offset
        self._places: list[tuple[Lines, int, int]] = []
        """The widget of each place, its number there, and its line."""
        self._sought: str = ""
        self._at = -1

    @property
    def widget(self) -> Widget:
        return self._page

    async def seek(self, text: str) -> int:
        self._at = self._at if text == self._sought else -1
        self._sought = text
        sought = finding.pattern(text, folded=True)
        self._page.mark(sought)
        self._places = [
            (lines, number, line) for lines in self._page.held() for number, line in enumerate(lines.seek(sought))
        ]
        return len(self._places)

    def clear(self) -> None:
        self._page.mark(None)

    def nearest(self, direction: int = 0) -> int:
        if not self._places:
            return -1
        if direction and self._at >= 0:
            return (self._at + direction) % len(self._places)
        here = round(self._page.scroll_y if direction else self._origin.y)
        return finding.onward([self._line(place) for place in self._places], here, max(0, direction))

    def _line(self, place: tuple[Lines, int, int]) -> int:
        """The line of a place, counted from the top of the page."""
        lines, _, line = place
        inside = self._page.scrollable_content_region
        return lines.region.y + lines.gutter.top + line - inside.y + round(self._page.scroll_y)

    def go(self, index: int) -> None:
        sought = finding.pattern(self._sought, folded=True)
        if 0 <= self._at < len(self._places):
            self._places[self._at][0].seek(sought)
        self._at = index
        lines, number, _ = self._places[index]
        lines.seek(sought, number)
        self._page.scroll_to_region(Region(0, self._line(self._places[index]), 1, 1), animate=False, force=True)

    def restore(self) -> None:
        self._page.scroll_to(y=self._origin.y, animate=False, force=True, immediate=True)


class OutputGround:
    """What the step said while it ran."""

    name = "lines"
    slow = True

    def __init__(self, live: LineView, where: str = "the output") -> None:
        self._live = live
        self.where = where
        self._origin, self._followed = live.scroll_offset, live.is_vertical_scroll_end
        self._places: Sequence[int] = ()
        self._sought = ""
        self._line = -1

    @property
    def widget(self) -> Widget:
        return self._live

    async def seek(self, text: str) -> int:
        self._sought = text
        self._places = await self._live.places(text)
        self._live.mark(finding.pattern(text), self._line)
        return len(self._places)

    def clear(self) -> None:
        self._live.mark(None)

    def nearest(self, direction: int = 0) -> int:
        here = self._line if direction and self._line >= 0 else self._origin.y
        return finding.onward(self._places, here, direction)

    def go(self, index: int) -> None:
        self._line = self._places[index]
        self._live.mark(finding.pattern(self._sought), self._line)
        self._live.reveal(self._line)

    def restore(self) -> None:
        self._line = -1
        if self._followed:
            self._live.scroll_end(animate=False)
        else:
            self._live.scroll_to(y=self._origin.y, animate=False, force=True, immediate=True)
