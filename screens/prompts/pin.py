"""The PIN prompt: one PIN for one attempt, with what a mistake would cost beside it."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget

from runbook.operator import PinRequest
from runbook.secrets import Secret
from screens.columns import pairs
from screens.evidence.pin_counter import cost, gauge
from screens.lines import Lines
from screens.prompts.prompt import Prompt, Said, caution, quiet, refusal, sheet_line
from screens.prompts.secret_entry import SecretEntry


class _Token(Lines):
    def __init__(self, request: PinRequest) -> None:
        super().__init__()
        self._request = request

    def lines(self, width: int) -> Iterator[Content]:
        request = self._request
        yield from pairs(
            [
                ("token", Content.styled(request.token, "bold")),
                ("for", request.purpose),
                ("counter", gauge(request.tries_left, request.tries_max)),
                ("a wrong PIN", cost(request.tries_left, request.flags)),
                *((("flags", "  ".join(request.flags)),) if request.flags else ()),
            ],
            width,
        )


class PinPrompt(Prompt[Secret]):
    """Escape sends nothing. A PIN outside the token's limits is not sent either."""

    heading = "PIN"
    keys = "Enter send it once   Ctrl+U clear   Esc cancel, nothing is sent"

    def __init__(self, request: PinRequest) -> None:
        super().__init__()
        self._request = request
        self.frame = "-dangerous" if request.warning or request.tries_left in (0, 1) else ""

    def title_line(self) -> str:
        return "SO-PIN" if self._request.who == "SO-PIN" else "User PIN"

    def body(self) -> Iterator[Widget]:
        request = self._request
        yield _Token(request)
        if request.warning:
            yield Said(caution(request.warning))
        yield SecretEntry(request.who)
        yield Said(quiet(self._limits()), classes="state")
        yield from sheet_line(self)

    def _limits(self) -> str:
        low, high = self._request.min_length, self._request.max_length
        length = f"exactly {low}" if low == high else f"{low} to {high}"
        return f"{length} characters; never shown, never stored"

    @on(SecretEntry.Submitted)
    def _send(self) -> None:
        entry, request = self.query_one(SecretEntry), self._request
        wrong = entry.fits(max(1, request.min_length), request.max_length)
        if wrong:
            entry.wipe()
            self._say(f"That is {wrong} than this token takes. Nothing was sent; type it again.")
            return
        self.dismiss(entry.take())

    @on(SecretEntry.Refused)
    def _refused(self, message: SecretEntry.Refused) -> None:
        self._say(message.why)

    def _say(self, why: str) -> None:
        self.query_one(".state", Said).say(refusal(why), quiet(self._limits()))
