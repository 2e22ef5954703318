"""Statements that a person says are so: each answered by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from runbook.operator import Attested, AttestRequest
from runbook.text import clean_line
from screens.columns import wrap
from screens.lines import Lines
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet
from screens.words import BAD, CALM, GOOD, QUIET

_LEFT = 9
"""Cells of the cursor and the answer before each statement."""


class Checklist(Lines, can_focus=True):
    """Space or Y says yes, N says no, each for the one statement under the cursor; the cursor stays where it is."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("space,y", "answer(True)", "Yes", show=False),
        Binding("n", "answer(False)", "No", show=False),
        Binding("enter", "enter", "Give the answers", show=False),
    ]

    @dataclass
    class Complete(Message):
        """Enter was pressed, and every statement has its answer."""

    def __init__(self, statements: tuple[str, ...], answered: Callable[[], None]) -> None:
        super().__init__()
        self._statements = statements
        self._answered = answered
        self.answers: list[bool | None] = [None] * len(statements)
        self._cursor = 0

    @property
    def complete(self) -> bool:
        """Whether every statement has an answer."""
        return None not in self.answers

    def lines(self, width: int) -> Iterator[Content]:
        for number, statement in enumerate(self._statements):
            here = number == self._cursor and self.has_focus
            for count, line in enumerate(wrap(statement, width - _LEFT)):
                head = self._head(number, here) if count == 0 else Content(" " * _LEFT)
                yield Content.assemble(head, line.stylize_before("bold") if here else line)

    def _head(self, number: int, here: bool) -> Content:
        answer = self.answers[number]
        word, style = ("  –  ", QUIET) if answer is None else ("✓ yes", GOOD) if answer else ("✗ no ", f"bold {BAD}")
        return Content.assemble(("▸ " if here else "  ", CALM), (word, style), "  ")

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def action_move(self, by: int) -> None:
        self._cursor = max(0, min(len(self._statements) - 1, self._cursor + by))
        self._moved()

    def action_answer(self, yes: bool) -> None:
        self.answers[self._cursor] = yes
        self._moved()
        self._answered()

    def action_enter(self) -> None:
        """Done; or on to the next statement that has no answer."""
        if self.complete:
            self.post_message(self.Complete())
            return
        following = range(self._cursor, self._cursor + len(self.answers))
        self._cursor = next(n % len(self.answers) for n in following if self.answers[n % len(self.answers)] is None)
        self._moved()

    def _moved(self) -> None:
        self.redraw()
        if isinstance(dialog := self.parent, Widget):
            line = Region(0, self._line_of(self._cursor), 1, 1).translate(self.virtual_region.offset)
            dialog.scroll_to_region(line, animate=False)

    def _line_of(self, number: int) -> int:
        width = self.content_size.width - _LEFT
        return sum(len(list(wrap(statement, width))) for statement in self._statements[:number])

    def on_click(self, event: events.Click) -> None:
        starts = [self._line_of(number) for number in range(len(self._statements))]
        self._cursor = max(number for number, start in enumerate(starts) if start <= max(0, event.y))
        self.redraw()


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
        self.query_one(".state", Said).say(quiet(self._left(checklist.answers.count(None))))
        self.query_one("#answer-submit", Answer).disabled = not checklist.complete

    @on(Input.Submitted)
    def _note_done(self) -> None:
        self.focus_next()

    @on(Answer.Pressed)
    @on(Checklist.Complete)
    def _submit(self) -> None:
        answers = self.query_one(Checklist).answers
        note = clean_line(self.query_one(Input).value).strip()
        self.dismiss(Attested(tuple(answer is True for answer in answers), note))
