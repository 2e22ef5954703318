"""Base of the widgets whose whole drawing is a function from a width to lines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget


class Lines(Widget):
    """As high as its lines; drawn again for every width."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    _drawn: tuple[int, list[Content]] | None = None

    @abstractmethod
    def lines(self, width: int) -> Iterable[Content]:
        """Lines of at most `width` cells."""

    def redraw(self) -> None:
        """What it shows has changed, and perhaps its height."""
        self._drawn = None
        self.refresh(layout=True)

    def _at(self, width: int) -> list[Content]:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, list(self.lines(width)) if width > 0 else [])
        return self._drawn[1]

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002 - Textual's signature
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - likewise
        return len(self._at(width))

    def render(self) -> Content:
        return Content("\n").join(self._at(self.content_size.width))
