"""Base of the widgets whose whole drawing is a function from a width to lines."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import ClassVar

from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from screens.marks import marked
from screens.words import QUIET

MOST = 2_000
"""Lines that are drawn of one thing: what is foreign may be of any length."""


LONG = 100
"""Lines from which a page is drawn line by line."""


class Lines(Widget):
    """As high as its lines; drawn again for every width."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    SHOWS: ClassVar[tuple[str, ...]] = ()
    """The attributes that say what is shown; empty: it is never given something else to show."""

    _drawn: tuple[int, list[Content]] | None = None
    _sought: re.Pattern[str] | None = None
    _here: int = -1

    def on_mount(self) -> None:
        page = next((node for node in self.ancestors if isinstance(node, Searched)), None)
        if page is not None and page.sought is not None:
            self.seek(page.sought)

    @abstractmethod
    def lines(self, width: int) -> Iterable[Content]:
        """Lines of at most `width` cells."""

    def become(self, other: Lines) -> None:
        """Show what `other` would, which is of the same class and was not mounted: far cheaper than to put it here."""
        for name in self.SHOWS:
            setattr(self, name, getattr(other, name))
        if self.classes != other.classes:
            self.set_classes(other.classes)
        self.redraw()

    def redraw(self) -> None:
        """What it shows has changed, and perhaps its height."""
        self._drawn = None
        self.refresh(layout=True)

    def _at(self, width: int) -> list[Content]:
        if self._drawn is None or self._drawn[0] != width:
            drawn = list(islice(self.lines(width), MOST + 1)) if width > 0 else []
            if len(drawn) > MOST:
                drawn[-1] = Content.styled("… more is left out here; the record holds it", QUIET).truncate(width)
            self._drawn = (width, drawn)
        return self._drawn[1]

    def seek(self, sought: re.Pattern[str] | None, here: int = -1) -> list[int]:
        """Mark what is sought, in reverse the place numbered `here`; the line of each place."""
        if (sought, here) != (self._sought, self._here):
            self._sought, self._here = sought, here
            self.refresh()
        if sought is None:
            return []
        page = self._page().plain
        return [page.count("\n", 0, match.start()) for match in sought.finditer(page)]

    def _page(self) -> Content:
        return Content("\n").join(self._at(self.content_size.width))

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's signature
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - likewise
        return len(self._at(width))

    def render(self) -> Content:
        return marked(self._page(), self._sought, self._here)

    def render_line(self, y: int) -> Strip:
        """Of a long page only the lines in sight are drawn, unless something goes over several of them."""
        page = self._at(self.size.width)
        if len(page) < LONG or y >= len(page) or self._sought is not None or self.text_selection is not None:
            return super().render_line(y)
        (strip,) = Visual.to_strips(self, page[y], self.size.width, 1, self.visual_style)
        return strip.apply_offsets(0, y)


class Searched(Widget):
    """Holds lines, also such as come later, in which something is sought."""

    sought: re.Pattern[str] | None = None

    def mark(self, sought: re.Pattern[str] | None) -> None:
        """Mark what is sought; None: nothing any more."""
        self.sought = sought
        for lines in self.held():
            lines.seek(sought)

    def held(self) -> Iterator[Lines]:
        """The lines, from top to bottom."""
        return (node for node in self.query("Lines") if isinstance(node, Lines))
