"""A phrase to be typed letter by letter before something that matters."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import PhraseRequest
from screens.prompts.phrase_entry import PhraseEntry
from screens.prompts.prompt import Prompt, Said, quiet, refusal

COUNTS = "capital letters and spaces count"


class PhrasePrompt(Prompt[bool]):
    """True once the phrase was typed exactly."""

    heading = "Type the phrase"
    frame = "-dangerous"
    keys = "Enter done   Ctrl+U clear   Esc cancel, nothing is done"

    def __init__(self, request: PhraseRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), classes="")
        if self._request.detail:
            yield Said(*self._request.detail)
        yield PhraseEntry(self._request.phrase)
        yield Said(quiet(COUNTS), classes="state")

    @on(PhraseEntry.Submitted)
    def _typed(self) -> None:
        entry = self.query_one(PhraseEntry)
        if entry.exact:
            self.dismiss(True)
        else:
            self._say(refusal(f"That is not the phrase yet: {entry.standing}."), quiet("Esc leaves it undone."))

    @on(PhraseEntry.Changed)
    def _changed(self) -> None:
        self._say(quiet(f"{self.query_one(PhraseEntry).standing}; {COUNTS}"))

    @on(PhraseEntry.Refused)
    def _refused(self, message: PhraseEntry.Refused) -> None:
        self._say(refusal(message.why))

    def _say(self, *lines: Content) -> None:
        self.query_one(".state", Said).say(*lines)
