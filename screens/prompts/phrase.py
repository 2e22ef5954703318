"""A phrase to be typed letter by letter before something that matters."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events, on
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runbook.operator import PhraseRequest
from screens.prompts.prompt import Prompt, Said, quiet, refusal
from screens.words import BAD, CALM


class PhraseEntry(Widget, can_focus=True):
    """Takes single keys only: a phrase that is pasted has not been thought about."""

    ALLOW_SELECT = False

    class Submitted(Message):
        """Enter was pressed."""

    class Pasted(Message):
        """Something was pasted, and not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.typed = ""

    def render(self) -> Content:
        return Content.assemble(self.typed, ("▏" if self.has_focus else "", f"bold {CALM}"))

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                self.post_message(self.Submitted())
            case "backspace":
                self.typed = self.typed[:-1]
            case "ctrl+u":
                self.typed = ""
            case "escape" | "tab" | "shift+tab":
                return
            case _ if event.is_printable and event.character:
                self.typed += event.character
        event.stop()
        event.prevent_default()
        self.refresh(layout=True)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pasted())


class PhrasePrompt(Prompt[bool]):
    """True once the phrase was typed exactly."""

    heading = "Point of no return"
    frame = "-dangerous"
    keys = "Enter when it is typed   Esc cancel, nothing is done"

    def __init__(self, request: PhraseRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        if self._request.detail:
            yield Said(*self._request.detail)
        yield Said(Content.assemble("type  ", (self._request.phrase, f"bold {BAD}")))
        yield PhraseEntry()
        yield Said(quiet("capital letters and spaces count"), classes="state")

    @on(PhraseEntry.Submitted)
    def _typed(self) -> None:
        if self.query_one(PhraseEntry).typed == self._request.phrase:
            self.dismiss(True)
        else:
            self.query_one(".state", Said).say(refusal("That is not the phrase yet; Esc leaves it undone."))

    @on(PhraseEntry.Pasted)
    def _pasted(self) -> None:
        self.query_one(".state", Said).say(refusal("Nothing can be pasted here; type it."))
