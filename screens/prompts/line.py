"""A line of text: a reason, a note, a path."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from runbook.text import clean_line
from screens.prompts.prompt import Prompt, Said, quiet, refusal


class LinePrompt(Prompt[str]):
    """An empty line is no answer."""

    keys = "Enter done   Esc cancel"

    def __init__(self, title: str, question: str, help_text: str = "", default: str = "") -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._help = help_text
        self._default = default

    def title_line(self) -> str:
        return self._title

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._question, "bold"), classes="")
        yield Input(self._default, select_on_focus=False)
        yield Said(quiet(self._help), classes="state")

    @on(Input.Submitted)
    def _done(self, message: Input.Submitted) -> None:
        typed = clean_line(message.value).strip()
        if typed:
            self.dismiss(typed)
        else:
            self.query_one(".state", Said).say(refusal("Something must be written here."), quiet(self._help))
