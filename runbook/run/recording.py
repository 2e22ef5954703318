"""The operator as a running step sees it: every prompt on the record, and none on the step's clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from runbook.event import Event
from runbook.operator import (
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decided,
    Moment,
    Operator,
    PhraseRequest,
    PinRequest,
    PointOfNoReturnRequest,
    SecretRequest,
    SignsHere,
    TerminalRequest,
    TextRequest,
    TranscribeRequest,
    WitnessRequest,
)
from runbook.ran import Ran, tell
from runbook.record.events import PromptAnswered, PromptShown
from runbook.run.deadline import Deadline
from runbook.secrets import Secret
from runbook.ticking import Checklisted, ChecklistRequest, Tick

T = TypeVar("T")


class RecordingOperator:
    """Passes each prompt on, between `PromptShown` and `PromptAnswered`; answers that are secret are left out."""

    def __init__(
        self, operator: Operator, step_id: str, record: Callable[[Event], Awaitable[None]], deadline: Deadline
    ) -> None:
        self._operator = operator
        self.source: str = getattr(operator, "source", "typed")
        """Where answers come from (`InputGiven.source`)."""
        self._step = step_id
        self._record = record
        self._deadline = deadline

    async def decide(self, moment: Moment) -> Decided:
        return await self._operator.decide(moment)

    async def pin(self, request: PinRequest) -> Secret:
        question = f"{request.who} of {request.token}"
        return await self._ask("pin", question, partial(self._operator.pin, request), _hidden)

    async def secret(self, request: SecretRequest) -> Secret:
        return await self._ask("secret", request.question, partial(self._operator.secret, request), _hidden)

    async def confirm(self, request: ConfirmRequest) -> bool:
        return await self._ask("confirm", request.question, partial(self._operator.confirm, request), _yes_no)

    async def choose(self, request: ChoiceRequest) -> str:
        return await self._ask("choose", request.question, partial(self._operator.choose, request), str)

    async def type_phrase(self, request: PhraseRequest) -> bool:
        return await self._ask("type_phrase", request.question, partial(self._operator.type_phrase, request), _yes_no)

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        question = request.question or request.title
        return await self._ask(
            "point_of_no_return", question, partial(self._operator.point_of_no_return, request), _yes_no
        )

    async def witness(self, request: WitnessRequest) -> SignsHere:
        return await self._ask("witness", request.title, partial(self._operator.witness, request), _signs)

    async def transcribe(self, request: TranscribeRequest) -> str:
        return await self._ask("transcribe", request.question, partial(self._operator.transcribe, request), str)

    async def text(self, request: TextRequest) -> str:
        return await self._ask("text", request.question, partial(self._operator.text, request), str)

    async def compare(self, request: CompareRequest) -> bool:
        return await self._ask("compare", request.question, partial(self._operator.compare, request), _yes_no)

    async def attest(self, request: AttestRequest) -> Attested:
        return await self._ask("attest", request.title, partial(self._operator.attest, request), _attested)

    async def checklist(self, request: ChecklistRequest) -> Checklisted:
        return await self._ask("checklist", request.question, partial(self._operator.checklist, request), _ticked)

    async def terminal(self, request: TerminalRequest) -> int:
        status = await self._ask("terminal", " ".join(request.argv), partial(self._operator.terminal, request), str)
        tell(Ran(request.argv, cwd=str(request.cwd or ""), env=request.env, exit_code=status))
        return status

    async def _ask(
        self, prompt: str, question: str, call: Callable[[], Awaitable[T]], shown: Callable[[T], str | None]
    ) -> T:
        with self._deadline.paused():
            await self._record(PromptShown(self._step, prompt, question))
            answer: str | None = "cancelled"
            try:
                value = await call()
                answer = shown(value)
            finally:
                await self._record(PromptAnswered(self._step, prompt, answer))
        return value


def _hidden(_: Secret) -> None:
    return None


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _signs(value: SignsHere) -> str:
    return f"{value.witness} signs here"


def _ticked(value: Checklisted) -> str:
    """A sign for each item; what was said of each by name is evidence."""
    signs = {Tick.YES: "x", Tick.NOT_YET: ".", Tick.NO: "-"}
    return f"{''.join(signs[answer.tick] for answer in value.answers)} {value.note}".strip()


def _attested(value: Attested) -> str:
    marks = "".join("x" if yes else "-" for yes in value.confirmed)
    return f"{marks} {value.note}".strip()
