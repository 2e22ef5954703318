"""The person at the screen, as the engine knows them (`runbook.operator.Operator`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from runbook.errors import PromptCancelled
from runbook.operator import (
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decided,
    Moment,
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
from runbook.secrets import Secret
from runbook.ticking import Checklisted, ChecklistRequest

if TYPE_CHECKING:
    from screens.app import RunbookApp
    from screens.prompts.prompt import Prompt

T = TypeVar("T")


class TuiOperator:
    """Each question is a modal screen; leaving it raises PromptCancelled. The prompts are imported when asked."""

    def __init__(self, app: RunbookApp) -> None:
        self._app = app

    async def _ask(self, prompt: Prompt[T]) -> T:
        answer = await self._app.ask(prompt)
        if answer is None:
            raise PromptCancelled("the prompt was left without an answer; nothing was sent")
        return answer

    async def decide(self, moment: Moment) -> Decided:
        return await self._app.run_screen.decide(moment)

    async def pin(self, request: PinRequest) -> Secret:
        from screens.prompts.pin import PinPrompt

        return await self._ask(PinPrompt(request))

    async def secret(self, request: SecretRequest) -> Secret:
        from screens.prompts.secret import SecretPrompt

        return await self._ask(SecretPrompt(request))

    async def confirm(self, request: ConfirmRequest) -> bool:
        from screens.prompts.confirm import ConfirmPrompt

        return await self._ask(ConfirmPrompt(request))

    async def choose(self, request: ChoiceRequest) -> str:
        from screens.prompts.choice import ChoicePrompt

        return await self._ask(ChoicePrompt(request))

    async def type_phrase(self, request: PhraseRequest) -> bool:
        from screens.prompts.phrase import PhrasePrompt

        return await self._ask(PhrasePrompt(request))

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        from screens.prompts.point_of_no_return import PointOfNoReturnPrompt

        return await self._ask(PointOfNoReturnPrompt(request))

    async def witness(self, request: WitnessRequest) -> SignsHere:
        from screens.prompts.witness import WitnessPrompt

        return await self._ask(WitnessPrompt(request))

    async def transcribe(self, request: TranscribeRequest) -> str:
        from screens.prompts.transcribe import TranscribePrompt

        return await self._ask(TranscribePrompt(request, paste=self._app.rehearsal is not None))

    async def text(self, request: TextRequest) -> str:
        from screens.prompts.line import LinePrompt

        return await self._ask(LinePrompt("Value", request.question, request.help, request.default))

    async def compare(self, request: CompareRequest) -> bool:
        from screens.prompts.compare import ComparePrompt

        return await self._ask(ComparePrompt(request))

    async def attest(self, request: AttestRequest) -> Attested:
        from screens.prompts.attest import AttestPrompt

        return await self._ask(AttestPrompt(request))

    async def checklist(self, request: ChecklistRequest) -> Checklisted:
        from screens.prompts.checklist import ChecklistPrompt

        return await self._ask(ChecklistPrompt(request))

    async def terminal(self, request: TerminalRequest) -> int:
        from screens.terminal import hand_over

        return await hand_over(self._app, request)
