"""The notice of a terminal with too little room; what waits behind it waits unharmed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen

from screens.columns import wrap
from screens.lines import Lines
from screens.theme import STYLE

WIDTH, HEIGHT = 80, 24


def fits(size: Size) -> bool:
    """Whether there is room for the screens."""
    return size.width >= WIDTH and size.height >= HEIGHT


class _Notice(Lines):
    def lines(self, width: int) -> Iterator[Content]:
        now = self.app.size
        yield from wrap(Content.styled("This terminal is too small.", "bold"), width)
        yield from wrap(f"It is {now.width} by {now.height}; {WIDTH} by {HEIGHT} is needed.", width)
        yield from wrap("Make it larger: the run is unharmed and goes on where it is.", width)
        yield from wrap("Ctrl+Q stops the run.", width)


class TooSmall(ModalScreen[None]):
    """Takes every key, so that nothing is typed into what cannot be seen."""

    CSS_PATH = STYLE / "prompts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "nothing", show=False)]

    def compose(self) -> ComposeResult:
        yield _Notice()

    def on_resize(self) -> None:
        self.query_one(_Notice).redraw()

    def on_screen_resume(self) -> None:
        """Something that lay over the notice has gone; the room may have come meanwhile."""
        if fits(self.app.size):
            self.dismiss(None)

    def action_nothing(self) -> None:
        """Escape does not lead away from here."""
