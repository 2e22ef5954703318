"""Leaving a run that is not over."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet


class QuitPrompt(Prompt[bool]):
    """Going on is the safe answer and has the focus."""

    heading = "Stop the run?"
    keys = "←/→ choose   Enter answer   Esc go on"

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def body(self) -> Iterator[Widget]:
        where = f"The run is at {self._at}." if self._at else "The run has begun."
        yield Said(Content.styled(where, "bold"), classes="")
        yield Said(
            "Stopping cancels what is at work and ends the run; the record is kept and says that it was stopped.",
            quiet("Stopping sends no PIN. An action that is at work may be left in doubt."),
        )
        yield Answers(Answer("stay", "Go on with the run"), Answer("stop", "Stop the run"))

    @on(Answer.Pressed)
    def _answer(self, message: Answer.Pressed) -> None:
        self.dismiss(message.key == "stop")
