"""Many items, each with an answer of its own: yes, not yet, or no with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from runbook.text import clean_line
from runbook.ticking import Checklisted, ChecklistRequest, Tick, Ticked
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet, refusal
from screens.prompts.rows import Rows
from screens.words import BAD, CALM, DOUBT, GOOD, QUIET

_LOOKS = {
    None: ("   –   ", QUIET),
    Tick.YES: ("✓ yes  ", GOOD),
    Tick.NOT_YET: ("○ wait ", DOUBT),
    Tick.NO: ("✗ no   ", f"bold {BAD}"),
}


class Ticks(Rows):
    """Space or Y says yes, W not yet, N asks for the reason of a no; each for the item under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,y", "tick('yes')", "Yes", show=False, id="checklist.yes"),
        Binding("w", "tick('not yet')", "Not yet", show=False, id="checklist.not_yet"),
        Binding("n", "refuse", "No", show=False, id="checklist.no"),
    ]
    left = 11

    def __init__(
        self, request: ChecklistRequest, *, answered: Callable[[], None], refused: Callable[[str], None]
    ) -> None:
        super().__init__(request.items)
        self.answers: list[Ticked | None] = [request.said(number) for number in range(len(request.items))]
        self._answered = answered
        self._refused = refused

    def open(self) -> list[int]:
        return [number for number, answer in enumerate(self.answers) if answer is None]

    def head(self, number: int, *, here: bool) -> Content:
        answer = self.answers[number]
        return Content.assemble(("▸ " if here else "  ", CALM), _LOOKS[answer.tick if answer else None], "  ")

    def under(self, number: int) -> str:
        answer = self.answers[number]
        return answer.reason if answer else ""

    def take_back(self, number: int) -> None:
        self.answers[number] = None
        self._answered()

    def action_tick(self, word: str) -> None:
        if self.may_answer():
            self.answer(Ticked(Tick(word)))

    def action_refuse(self) -> None:
        if self.may_answer():
            self._refused(self._texts[self.cursor])

    def answer(self, ticked: Ticked) -> None:
        """Of the item under the cursor."""
        self.answers[self.cursor] = ticked
        self.moved()
        self._answered()


class ChecklistPrompt(Prompt[Checklisted]):
    """It can be submitted once every item has an answer."""

    heading = "One answer for each"
    frame = "-roomy"
    keys = "↑/↓ move   Space yes   w not yet   n no   Enter done   Esc cancel"
    AUTO_FOCUS = "Ticks"

    def __init__(self, request: ChecklistRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        ticks = Ticks(self._request, answered=self._answered, refused=self._ask_why)
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        yield ticks
        yield Said(quiet(_state(ticks.answers)), classes="state said")
        why = Input(compact=True)
        why.display = False
        yield why
        yield Answers(Answer("submit", "Submit", disabled=bool(ticks.open())))

    def _answered(self) -> None:
        ticks = self.query_one(Ticks)
        self.query_one(".state", Said).say(quiet(_state(ticks.answers)))
        self.query_one("#answer-submit", Answer).disabled = bool(ticks.open())

    @on(Rows.Refused)
    def _not_taken(self, message: Rows.Refused) -> None:
        self.query_one(".state", Said).say(refusal(message.why))

    def _ask_why(self, item: str) -> None:
        line = self.query_one(Input)
        line.value, line.placeholder, line.display = "", f"why not, for {clean_line(item)}?", True
        line.focus()
        self.call_after_refresh(line.scroll_visible, animate=False)  # it has no place before

    @on(Input.Submitted)
    def _why(self, message: Input.Submitted) -> None:
        reason = clean_line(message.value).strip()
        if not reason:
            self.query_one(".state", Said).say(refusal("A no has a reason."))
            return
        ticks = self.query_one(Ticks)
        ticks.answer(Ticked(Tick.NO, reason))
        ticks.focus()
        message.input.display = False

    @on(Answer.Pressed)
    @on(Rows.Complete)
    def _submit(self) -> None:
        answers = tuple(answer for answer in self.query_one(Ticks).answers if answer is not None)
        if len(answers) == len(self._request.items):
            self.dismiss(Checklisted(answers))


def _state(answers: list[Ticked | None]) -> str:
    """How far it is."""
    counts = [f"{sum(1 for answer in answers if answer and answer.tick is tick)} {tick}" for tick in Tick]
    still = answers.count(None)
    return f"{', '.join(counts)} of {len(answers)}" + (f"; {still} without an answer" if still else "")
