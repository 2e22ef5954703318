"""The blind transcription of a value from paper: where it differs is told only after the whole is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import TranscribeRequest
from screens.prompts.prompt import Prompt, Said, quiet, refusal, sheet_line
from screens.prompts.transcript_entry import TranscriptEntry


class TranscribePrompt(Prompt[str]):
    """The result is the value without separators. It is compared by the program, elsewhere and afterwards."""

    heading = "From paper"
    keys = "Enter when it is complete   Ctrl+U clear   Esc cancel"

    def __init__(self, request: TranscribeRequest, *, paste: bool = False) -> None:
        super().__init__()
        self._request = request
        self._paste = paste

    def body(self) -> Iterator[Widget]:
        asked = self._request
        yield Said(Content.styled(asked.question, "bold"), *([quiet(asked.help)] if asked.help else []), classes="")
        entry = TranscriptEntry(asked.alphabet, asked.length, asked.group, paste=self._paste)
        yield entry
        yield Said(quiet(entry.progress), classes="state")
        yield from sheet_line(self)

    @on(TranscriptEntry.Changed)
    def _changed(self) -> None:
        self._say(quiet(self.query_one(TranscriptEntry).progress))

    @on(TranscriptEntry.Refused)
    def _refused(self, message: TranscriptEntry.Refused) -> None:
        self._say(refusal(message.why))

    @on(TranscriptEntry.Submitted)
    def _done(self) -> None:
        entry, asked = self.query_one(TranscriptEntry), self._request
        if not entry.complete:
            self._say(refusal(f"It is not complete: {entry.progress}."))
        elif asked.pattern and not re.fullmatch(asked.pattern, entry.value):
            self._say(refusal("It does not have the form that is expected here; look at the paper again."))
        else:
            self.dismiss(entry.value)

    def _say(self, line: Content) -> None:
        self.query_one(".state", Said).say(line)
