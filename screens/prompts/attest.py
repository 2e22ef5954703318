"""Statements that a person says are so: each answered by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from runbook.operator import Attested, AttestRequest
from runbook.text import clean_line
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet, refusal
from screens.prompts.rows import Rows
from screens.words import BAD, CALM, GOOD, QUIET


class Checklist(Rows):
    """Space or Y says yes, N says no, each for the one statement under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,y", "answer(True)", "Yes", show=False, id="attest.yes"),
        Binding("n", "answer(False)", "No", show=False, id="attest.no"),
    ]
    left = 9

    def __init__(self, statements: tuple[str, ...], answered: Callable[[], None]) -> None:
        super().__init__(statements)
        self._answered = answered
        self.answers: list[bool | None] = [None] * len(statements)

    def open(self) -> list[int]:
        return [number for number, answer in enumerate(self.answers) if answer is None]

    def head(self, number: int, *, here: bool) -> Content:
        answer = self.answers[number]
        word, style = ("  –  ", QUIET) if answer is None else ("✓ yes", GOOD) if answer else ("✗ no ", f"bold {BAD}")
        return Content.assemble(("▸ " if here else "  ", CALM), (word, style), "  ")

    def take_back(self, number: int) -> None:
        self.answers[number] = None
        self._answered()

    def action_answer(self, yes: bool) -> None:
        if self.may_answer():
            self.answers[self.cursor] = yes
            self.moved()
            self._answered()


class AttestPrompt(Prompt[Attested]):
    """It can be submitted once every statement has an answer."""

    heading = "You say that this is so"
    frame = "-roomy"
    keys = "↑/↓ move   Space yes   n no   Enter submit   Tab note   Esc cancel"

    def __init__(self, request: AttestRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.title, "bold"), classes="")
        # Called at once, not by a message: whoever types fast finds the answer enabled.
        yield Checklist(self._request.statements, self._answered)
        yield Said(quiet(self._left(len(self._request.statements))), classes="state said")
        yield Input(placeholder="a note, if there is something to say", compact=True)
        yield Answers(Answer("submit", "Submit", disabled=True))

    @staticmethod
    def _left(count: int) -> str:
        return f"{count} without an answer" if count else "every statement has its answer"

    def _answered(self) -> None:
        checklist = self.query_one(Checklist)
        self.query_one(".state", Said).say(quiet(self._left(len(checklist.open()))))
        self.query_one("#answer-submit", Answer).disabled = bool(checklist.open())

    @on(Rows.Refused)
    def _refused(self, message: Rows.Refused) -> None:
        self.query_one(".state", Said).say(refusal(message.why))

    @on(Input.Submitted)
    def _note_done(self) -> None:
        self.focus_next()

    @on(Answer.Pressed)
    @on(Checklist.Complete)
    def _submit(self) -> None:
        answers = self.query_one(Checklist).answers
        note = clean_line(self.query_one(Input).value).strip()
        self.dismiss(Attested(tuple(answer is True for answer in answers), note))
