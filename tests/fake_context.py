"""A Context for checks run without an engine: answers from a script, events in a list."""

from __future__ import annotations

from pathlib import Path

from checks.hsm.pool import TokenPool
from runbook.errors import PromptCancelled
from runbook.operator import ChoiceRequest, ConfirmRequest, PhraseRequest, PinRequest, SecretRequest, TextRequest
from runbook.secrets import Secret
from runbook.site import Site
from tests.stand_in import StandIn


class ScriptedPins:
    """Gives the PINs and confirmations it was made with, and keeps every request and every Secret it gave.

    `choice` is the answer to a choice (None: it leaves), `secrets` are those for `secret`, `phrase` is what it types
    (None: the phrase itself), `reason` the answer to a question for text.
    """

    def __init__(self, *pins: str, confirm: bool = True) -> None:
        self.pins = list(pins)
        self.confirm_answer = confirm
        self.choice: str | None = None
        self.choices: list[ChoiceRequest] = []
        self.secrets: list[str] = []
        self.phrase: str | None = None
        self.phrases: list[PhraseRequest] = []
        self.reason = "the drill says so"
        self.requests: list[PinRequest] = []
        self.confirms: list[ConfirmRequest] = []
        self.given: list[Secret] = []

    async def pin(self, request: PinRequest) -> Secret:
        self.requests.append(request)
        assert self.pins, "the check asks for a PIN that the test does not expect"
        self.given.append(Secret.from_text(self.pins.pop(0)))
        return self.given[-1]

    async def confirm(self, request: ConfirmRequest) -> bool:
        self.confirms.append(request)
        return self.confirm_answer

    async def choose(self, request: ChoiceRequest) -> str:
        self.choices.append(request)
        if self.choice is None:
            raise PromptCancelled("nobody chooses")
        return self.choice

    async def secret(self, request: SecretRequest) -> Secret:
        assert self.secrets, f"the test does not expect to be asked: {request.question}"
        self.given.append(Secret.from_text(self.secrets.pop(0)))
        return self.given[-1]

    async def type_phrase(self, request: PhraseRequest) -> bool:
        self.phrases.append(request)
        return self.phrase in (None, request.phrase)

    async def text(self, request: TextRequest) -> str:
        return self.reason


class FakeContext(StandIn):
    """What a check of tokens gets from the engine: the stand-in with a pool of its own."""

    def __init__(self, site: Site, folder: Path, *pins: str, deadline: float = 10.0, confirm: bool = True) -> None:
        super().__init__(folder, ScriptedPins(*pins, confirm=confirm), site=site, step_id="A3.sign")
        self.pool = TokenPool(site, self.redactor, deadline=deadline)
        self.resources[TokenPool] = self.pool
