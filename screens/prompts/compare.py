"""Two values compared by eye."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import CompareRequest
from screens.fingerprints import compared
from screens.lines import Lines
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet


class _Sides(Lines):
    def __init__(self, request: CompareRequest) -> None:
        super().__init__(classes="said")
        self._request = request

    def lines(self, width: int) -> Iterator[Content]:
        asked = self._request
        yield from compared(asked.left_title, asked.left, asked.right_title, asked.right, width)


class ComparePrompt(Prompt[bool]):
    """Differences are marked as everywhere; the answer is the person's, and `they differ` has the focus."""

    heading = "Compare by eye"
    frame = "-roomy"
    keys = "←/→ choose   Enter answer   Esc cancel"

    def __init__(self, request: CompareRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        yield _Sides(self._request)
        yield Said(quiet("Look at every group: point at the row's letter and the column's number on both sides."))
        yield Answers(Answer("no", "They differ"), Answer("yes", "They are the same"))

    @on(Answer.Pressed)
    def _answer(self, message: Answer.Pressed) -> None:
        self.dismiss(message.key == "yes")
