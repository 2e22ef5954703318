"""The prompt for a password or another secret value."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import SecretRequest
from runbook.secrets import Secret
from screens.prompts.prompt import Prompt, Said, quiet, refusal, sheet_line
from screens.prompts.secret_entry import SecretEntry


class SecretPrompt(Prompt[Secret]):
    """Escape gives nothing."""

    heading = "Secret"
    keys = "Enter use it   Ctrl+U clear   Esc cancel"

    def __init__(self, request: SecretRequest) -> None:
        super().__init__()
        self._request = request

    def body(self) -> Iterator[Widget]:
        yield Said(Content.styled(self._request.question, "bold"), quiet(self._request.purpose), classes="")
        yield SecretEntry("value")
        yield Said(quiet("never shown, never stored"), classes="state")
        yield from sheet_line(self)

    @on(SecretEntry.Submitted)
    def _give(self) -> None:
        entry = self.query_one(SecretEntry)
        if entry.empty:
            self._say("Nothing has been typed.")
        else:
            self.dismiss(entry.take())

    @on(SecretEntry.Refused)
    def _refused(self, message: SecretEntry.Refused) -> None:
        self._say(message.why)

    def _say(self, why: str) -> None:
        self.query_one(".state", Said).say(refusal(why))
