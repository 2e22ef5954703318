"""Answers to choose from, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class Answer(Widget, can_focus=True):
    """A word that can be chosen; with the focus it stands between arrows, and in brackets while it cannot be chosen."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Choose", show=False, id="answer.choose"),
        Binding("left,up,h", "app.focus_previous", "Before", show=False, id="answer.before"),
        Binding("right,down,l", "app.focus_next", "Next", show=False, id="answer.next"),
    ]

    @dataclass
    class Pressed(Message):
        """It was chosen."""

        key: str

    def __init__(self, key: str, label: str, *, disabled: bool = False) -> None:
        super().__init__(id=f"answer-{key}", disabled=disabled)
        self.key = key
        self._label = label

    def get_content_width(self, *_: object) -> int:
        return len(self._label) + 4

    def render(self) -> Content:
        if self.disabled:
            return Content(f"( {self._label} )")
        return Content(f"▸ {self._label} ◂" if self.has_focus else f"  {self._label}  ")

    def action_press(self) -> None:
        self.post_message(self.Pressed(self.key))

    def on_click(self) -> None:
        self.action_press()


class Answers(Horizontal):
    """A row of answers; the first one is the safe one and comes first in the focus."""

    DEFAULT_CLASSES = "answers"

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self._answers = answers

    def compose(self) -> ComposeResult:
        yield from self._answers
