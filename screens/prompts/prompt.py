"""Base of the prompts: a dialog that escape leaves without an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from screens.columns import Cell, wrap
from screens.lines import Lines
from screens.modal import Modal
from screens.prompts.rows import Rows
from screens.theme import STYLE
from screens.words import BAD, DOUBT, QUIET

T = TypeVar("T")


class Said(Lines):
    """Paragraphs."""

    def __init__(self, *paragraphs: Cell, classes: str = "said") -> None:
        super().__init__(classes=classes)
        self._paragraphs = paragraphs

    def say(self, *paragraphs: Cell) -> None:
        """Say something else."""
        self._paragraphs = paragraphs
        self.redraw()

    def lines(self, width: int) -> Iterator[Content]:
        for paragraph in self._paragraphs:
            yield from wrap(paragraph, width)


def quiet(text: str) -> Content:
    """A remark."""
    return Content.styled(text, QUIET)


def caution(text: str) -> Content:
    """Something to be careful about."""
    return Content.styled(f"▲ {text}", f"bold {DOUBT}")


def refusal(text: str) -> Content:
    """Why what was typed is not taken."""
    return Content.styled(f"✗ {text}", f"bold {BAD}")


class Prompt(Modal[T | None]):
    """A dialog; its result is the typed answer, or None when it was left."""

    CSS_PATH = STYLE / "prompts.tcss"
    AUTO_FOCUS = "SecretEntry, TranscriptEntry, PhraseEntry, Input, Choices, Rows, Answer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="prompt.cancel"),
        # Before what has the focus: a ? may be part of what is typed there.
        Binding("f1", "app.help", "Help", show=False, priority=True, id="prompt.help"),
    ]

    heading: ClassVar[str] = "Question"
    keys: str = "Enter answer   Esc cancel"
    frame: str = ""
    """Classes of the dialog: `-dangerous`, `-roomy`."""

    def body(self) -> Iterable[Widget]:
        """The widgets of the dialog."""
        raise NotImplementedError

    def title_line(self) -> str:
        """What the dialog's frame says; no foreign text."""
        return self.heading

    def dialog(self) -> Widget:
        """The frame around the body."""
        return VerticalScroll(id="dialog", classes=self.frame, can_focus=False)

    def compose(self) -> ComposeResult:
        dialog = self.dialog()
        # The frame never scrolls away: what it is, that it is a rehearsal, and the keys.
        rehearsal = "REHEARSAL  " if getattr(self.app, "in_rehearsal", False) else ""
        dialog.border_title = f"{rehearsal}{self.title_line()}"
        dialog.border_subtitle = self.keys
        with dialog:
            yield from self.body()

    def action_cancel(self) -> None:
        self.dismiss(None)

    # Size.

    def on_mount(self) -> None:
        self._shapes: dict[VerticalScroll, object] = {}
        self._places: dict[VerticalScroll, float] = {}
        """How far each page was scrolled by a person, as a part of how far it can be."""
        for page in self.query(VerticalScroll):
            self.watch(page, "scroll_y", partial(self._scrolled_by, page), init=False)
        self.screen_layout_refresh_signal.subscribe(self, self._laid_out, immediate=True)

    def _shape(self, page: VerticalScroll) -> object:
        return self.app.size, page.size

    def _scrolled_by(self, page: VerticalScroll) -> None:
        """By a person; not by a new size, which leaves it where it can."""
        if page.max_scroll_y and self._shapes.get(page) == self._shape(page):
            self._places[page] = page.scroll_y / page.max_scroll_y

    def _laid_out(self, _: Screen[object]) -> None:
        """With another size: scroll to where it was, and to what has the focus."""
        changed = [page for page in self.query(VerticalScroll) if self._shapes.get(page) != self._shape(page)]
        for page in changed:
            first = page not in self._shapes
            self._shapes[page] = None
            if not first:
                part = self._places.get(page, 0.0)
                page.scroll_to(y=round(part * page.max_scroll_y), animate=False, immediate=True)
        if changed and self.focused is not None:
            self.bring_into_sight(self.focused)
        for page in changed:
            self._shapes[page] = self._shape(page)

    def bring_into_sight(self, focused: Widget) -> None:
        """What has the focus, or the part of it that is at hand."""
        if isinstance(focused, Rows):
            focused.into_sight()
        else:
            focused.scroll_visible(animate=False, immediate=True)


def sheet_line(screen: Widget) -> Iterator[Widget]:
    """In a rehearsal: where the lab's paper sheet lies."""
    rehearsal = getattr(screen.app, "rehearsal", None)
    if rehearsal is not None:
        yield Said(quiet(f"Rehearsal: the lab's paper sheet is {rehearsal.sheet}"))
