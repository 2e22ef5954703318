"""Yes or no; no is the safe answer and has the focus."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import ConfirmRequest
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said


class ConfirmPrompt(Prompt[bool]):
    """No single key says yes."""

    heading = "Confirm"
    keys = "←/→ choose   Enter answer   Esc cancel"

    def __init__(self, request: ConfirmRequest) -> None:
        super().__init__()
        self._request = request
        self.frame = "-dangerous" if request.dangerous else ""

    def title_line(self) -> str:
        return "Confirm: this cannot be undone" if self._request.dangerous else self.heading

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        if self._request.detail:
            yield Said(*self._request.detail)
        yield Answers(Answer("no", "No"), Answer("yes", "Yes"))

    @on(Answer.Pressed)
    def _answer(self, message: Answer.Pressed) -> None:
        self.dismiss(message.key == "yes")
