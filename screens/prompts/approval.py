"""The witness is asked: approve exactly this, say no with a reason, or answer later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual import on
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from runbook.record.gate_events import ApprovalAsked
from runbook.text import clean_line
from screens.columns import pairs
from screens.lines import Lines
from screens.prompts.answer import Answer, Answers
from screens.prompts.prompt import Prompt, Said, quiet, refusal
from screens.prompts.witness import Asked, Countdown


@dataclass(frozen=True, slots=True)
class Approves:
    """Yes, signed with this key."""

    key: str
    """Path of the witness's key, as they wrote it."""


@dataclass(frozen=True, slots=True)
class Refuses:
    """No."""

    reason: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the witness is asked, with what is not in the event itself."""

    asked: ApprovalAsked
    title: str
    """The step's title."""
    code: str
    head: str
    """The head that it was asked at, in its short form."""
    key: str = ""
    """The path of the key that is proposed."""
    problem: str = ""
    """Why the last answer did not come about."""


class _At(Lines):
    def __init__(self, head: str) -> None:
        super().__init__()
        self._head = head

    def lines(self, width: int) -> Iterator[Content]:
        head = Content.assemble((self._head, "bold"), quiet("  of the record, when it was asked"))
        yield from pairs([("head", head)], width)


_FIELDS = {
    "yes": ("Path of your key", "You sign the run, the step, the exact action above, the head and a number used once."),
    "no": ("Why not", "The step then fails, and your reason stands in the record."),
}


class ApprovalPrompt(Prompt[Approves | Refuses]):
    """Later is the safe answer and has the focus; the question stays open for as long as it stands."""

    AUTO_FOCUS = "#answer-later"
    heading = "Your approval is asked"
    frame = "-dangerous -grave -asked"
    keys = "←/→ choose   Enter answer   Esc later, nothing is said"

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._chosen = ""

    def dialog(self) -> Vertical:
        return Vertical(id="dialog", classes=self.frame)

    def body(self) -> Iterator[Widget]:
        question = self._question
        with VerticalScroll(id="page"):
            yield Asked(question.asked.step, question.title, question.asked.what, question.code)
            yield _At(question.head)
            yield Countdown(question.asked.expires_at)
        with Vertical(id="foot"):
            said = "Is this what you agreed to, and is the code the one on the driver's screen?"
            yield Said(Content.styled(said, "bold"), classes="")
            yield Said(refusal(question.problem) if question.problem else "", classes="state")
            yield Answers(Answer("later", "Later"), Answer("no", "No …"), Answer("yes", "Approve …"))

    @on(Answer.Pressed)
    async def _choose(self, message: Answer.Pressed) -> None:
        if message.key == "later":
            self.dismiss(None)
            return
        self._chosen = message.key
        title, told = _FIELDS[message.key]
        await self.query(Input).remove()
        entry = Input(self._question.key if message.key == "yes" else "", select_on_focus=False)
        entry.border_title = title
        await self.query_one("#foot").mount(entry, before=self.query_one(".state"))
        entry.focus()
        self._say(quiet(told))

    @on(Input.Submitted)
    def _given(self, message: Input.Submitted) -> None:
        typed = clean_line(message.value).strip()
        if not typed:
            self._say(refusal("Something must be written here; Esc leaves it unsaid."))
        elif self._chosen == "yes":
            self.dismiss(Approves(typed))
        else:
            self.dismiss(Refuses(typed))

    def _say(self, line: Content) -> None:
        self.query_one(".state", Said).say(line)
