"""The keys and the signs, on one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from runbook.record.state import Status
from screens.columns import pairs, wrap
from screens.lines import Lines
from screens.theme import STYLE
from screens.words import CALM, badge

_KEYS = (
    (
        "The run",
        (
            ("r Enter", "run the step at hand, and stop before the next one"),
            ("c", "continue: run on, asking what must be asked, until a step is not green; Esc pauses"),
            ("t", "try a step again that is not green; the record says so"),
            ("d", "take a step in doubt as done; like t and s there, with a reason that is kept as a deviation"),
            ("s", "skip it; a reason is asked and kept as a deviation"),
            ("w", "give the stage's time window, or change it with a reason"),
            ("n", "write a note into the record"),
            ("q", "leave; a run that is not over asks first"),
        ),
    ),
    (
        "Finding one's way",
        (
            ("↑ ↓ j k", "another step; the page follows"),
            ("← → h l", "another stage"),
            (".", "back to the step at hand"),
            ("Tab", "from the list to the page, to the output, and round again"),
            ("PgUp PgDn", "scroll the page, wherever the focus is"),
            ("o", "what the step said while it ran"),
        ),
    ),
    (
        "Prompts",
        (
            ("Esc", "leave a prompt: nothing is sent and nothing is changed"),
            ("Tab", "the next field or answer; the safe answer has the focus first"),
            ("PgUp PgDn", "scroll a long one; phrases are typed under themselves and never pasted"),
            ("a", "as a witness: answer what you are asked; it stays open until then"),
        ),
    ),
)
_STATES = {
    Status.WAITING: "its turn has not come",
    Status.BLOCKED: "something it needs does not hold",
    Status.RUNNING: "at work",
    Status.NEEDS_YOU: "it has asked something",
    Status.PASSED: "as it should be",
    Status.WARNED: "as it should be, with a remark",
    Status.FAILED: "not as it should be",
    Status.ERRORED: "no verdict could be reached",
    Status.SKIPPED: "left out by the operator, with a reason",
    Status.NOT_HERE: "not rehearsed: the lab lacks what it is about",
    Status.IN_DOUBT: "begun, and whether it was done is not known",
}


class _Page(Lines):
    def lines(self, width: int) -> Iterator[Content]:
        for title, keys in _KEYS:
            yield Content.styled(title, f"bold {CALM}")
            yield from pairs([(f"  {key}", told) for key, told in keys], width, left=12)
            yield Content("")
        yield Content.styled("States", f"bold {CALM}")
        for status, told in _STATES.items():
            sign = badge(status)
            yield from wrap(Content.assemble("  ", sign, " " * (12 - sign.cell_length), told), width)


class HelpScreen(ModalScreen[None]):
    """Scrolls; escape, Q or ? closes it."""

    CSS_PATH = STYLE / "prompts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "close", "Close", show=False),
    ]

    def compose(self) -> ComposeResult:
        dialog = VerticalScroll(id="dialog", classes="-roomy")
        dialog.border_title = "Help"
        with dialog:
            yield _Page()

    def action_close(self) -> None:
        self.dismiss(None)
