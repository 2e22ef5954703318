"""The operator that answers from a file, where nobody is there (`--headless`).

One answer a prompt. A prompt that the file does not answer is left, and the message names the missing key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from runbook.errors import OperatorStopped, PromptCancelled
from runbook.model import Runbook, Stage
from runbook.operator import (
    Alphabet,
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decided,
    Decision,
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
from runbook.people.people import WHO_DRIVES
from runbook.plain.answers import Answers
from runbook.plain.typist import type_answers
from runbook.probing import Answer
from runbook.secrets import Redactor, Secret
from runbook.ticking import Checklisted, ChecklistRequest, Tick, Ticked
from runbook.typed import without_separators


class ScriptedOperator:
    """The operator (`runbook.operator.Operator`) that answers from a file, and stops at the first failure."""

    source = "answers"
    """Of the values it gives (`InputGiven.source`)."""

    def __init__(self, answers: Answers, runbook: Runbook) -> None:
        self._answers = answers
        self._runbook = runbook
        self._step = ""
        self._used: set[str] = set()
        self._settled: set[str] = set()
        """Steps in doubt that were decided on: a second doubt is for a person."""

    def teach(self, redactor: Redactor) -> None:
        """Let every PIN of the file be removed from all output."""
        for secret in self._answers.known_secrets():
            redactor.learn(secret)

    async def decide(self, moment: Moment) -> Decided:
        self._step = moment.step_id
        self._used.clear()
        if Decision.DONE in moment.allowed:
            return self._doubt(moment)
        if moment.outcome is not None:
            return Decided(Decision.STOP, f"{moment.step_id} is not green, and the answers say to stop then")
        if reason := self._answers.skip.get(moment.step_id):
            return Decided(Decision.SKIP, reason)
        if moment.opens and self._answers.wait:
            await asyncio.Event().wait()  # the question is taken back when the window opens
        if moment.unmet:
            return Decided(Decision.STOP, f"{moment.step_id} cannot start: {'; '.join(moment.unmet)}")
        return Decided(Decision.RUN)

    def _doubt(self, moment: Moment) -> Decided:
        """What may be done already is taken as done where its probe says so, and run again where it does not."""
        step_id, probed = moment.step_id, moment.probed
        answer = probed.answer if probed else None
        if answer is Answer.DONE:
            key, reason, decision = "done", self._answers.done.get(step_id), Decision.DONE
        else:
            key, reason, decision = "again", self._answers.again.get(step_id), Decision.RETRY
        by_probe = self._answers.in_doubt == "probe" and moment.outcome is not None
        if not reason and by_probe and answer in (Answer.DONE, Answer.NOT_DONE):
            reason = f"its probe says that it is {answer}"
        if reason and answer not in (Answer.DONE, Answer.NOT_DONE) and not _covers(self._answers.phrases, step_id):
            key, reason = f"phrases: [{step_id}]", None
        if reason and decision in moment.allowed and step_id not in self._settled:
            self._settled.add(step_id)
            return Decided(decision, reason)
        said = f"its probe says `{answer}`, {probed.outcome.summary}" if probed else "it has no probe"
        lacking = key if key.startswith("phrases") else f"{key}.{step_id}"
        once_more = " once more" if step_id in self._settled else f"; the answers have no `{lacking}` that decides"
        return Decided(Decision.STOP, f"{step_id} may be done already{once_more}: {said}")

    async def pin(self, request: PinRequest) -> Secret:
        if request.who != "user PIN":
            raise PromptCancelled(
                f"the {request.who} of {request.token} is asked for, and an answers file holds user PINs only",
                remedy="Run this step at a terminal.",
            )
        name = self._token_of_step()
        names = [key for key in (name, request.token) if key in self._answers.pins]
        if not names:
            raise self._missing(f"pins.{name or request.token}", f"the {request.who} of {request.token}")
        self._once(f"pin of {request.token}", "its PIN was sent once; it is never sent again by itself")
        return Secret(self._answers.pins[names[0]].reveal())

    async def secret(self, request: SecretRequest) -> Secret:
        if self._step not in self._answers.secrets:
            raise self._missing(f"secrets.{self._step}", request.question)
        self._once(f"secret of {self._step}", "its secret was given once; it is never sent again by itself")
        return Secret(self._answers.secrets[self._step].reveal())

    async def confirm(self, request: ConfirmRequest) -> bool:
        answers = self._answers.confirm
        if answers == "none":
            return False
        if self._step not in answers:
            raise self._missing(f"confirm.{self._step}", request.question)
        return answers[self._step]

    async def choose(self, request: ChoiceRequest) -> str:
        named = self._answers.driver if request.question == WHO_DRIVES else ""
        answer = named or self._input(request.question)
        keys = [key for key, _ in request.choices]
        if answer not in keys:
            raise OperatorStopped(f"the answer to `{request.question}` is not one of {', '.join(keys)}")
        return answer

    async def type_phrase(self, request: PhraseRequest) -> bool:
        if not _covers(self._answers.phrases, self._step):
            raise self._missing(f"phrases: [{self._step}]", request.question)
        return True

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        said = not request.question or await self.confirm(ConfirmRequest(request.question))
        return said and (not request.phrase or await self.type_phrase(PhraseRequest(request.title, request.phrase)))

    async def witness(self, request: WitnessRequest) -> SignsHere:
        if not self._answers.witness:  # a witness may follow, and answer in a session of their own until it is too late
            await asyncio.Event().wait()
        for name in request.witnesses:
            if name in self._answers.witness:
                self._once(f"approval of {request.step_id}", request.problem or "it was given once")
                return SignsHere(name, self._answers.witness[name])
        raise self._missing(f"witness.{request.witnesses[0] if request.witnesses else '…'}", request.title)

    async def transcribe(self, request: TranscribeRequest) -> str:
        answer = self._input(request.question, request.help)
        return answer if request.alphabet is Alphabet.TEXT else without_separators(request.alphabet, answer)

    async def text(self, request: TextRequest) -> str:
        for stage in self._runbook.stages:
            if stage.window is not None and stage.window_question == request.question:
                return self._window(stage, request.help)
        return self._input(request.question, request.help)

    def _window(self, stage: Stage, note: str) -> str:
        if stage.id not in self._answers.windows:
            raise self._missing(f"windows.{stage.id}", stage.window_question)
        self._once(f"window {stage.id}", f"the answer `windows.{stage.id}` cannot be used: {note}")
        return self._answers.windows[stage.id]

    async def compare(self, request: CompareRequest) -> bool:
        raise PromptCancelled(
            f"`{request.question}` is for eyes; no file can answer it", remedy="Run this step at a terminal."
        )

    async def attest(self, request: AttestRequest) -> Attested:
        listed = self._answers.attest
        if request.of_run and listed != "all":
            raise self._missing("attest: all", request.title)
        if not _covers(listed, self._step):
            raise self._missing(f"attest: [{self._step}]", request.title)
        return Attested(tuple(True for _ in request.statements), "from the answers file")

    async def checklist(self, request: ChecklistRequest) -> Checklisted:
        if not _covers(self._answers.attest, self._step):
            raise self._missing(f"attest: [{self._step}]", request.question)
        return Checklisted(tuple(Ticked(Tick.YES) for _ in request.items), "from the answers file")

    async def terminal(self, request: TerminalRequest) -> int:
        if self._step not in self._answers.typed:
            raise self._missing(f"typed.{self._step}", f"{request.argv[0]} needs a terminal")
        return await type_answers(request, self._answers.typed[self._step])

    def _input(self, question: str, note: str = "") -> str:
        """The answer for the input that asks this question, once."""
        name = next((name for name, declared in self._runbook.inputs.items() if declared.ask == question), "")
        answer = self._answers.inputs.get(name) or getattr(self._runbook.inputs.get(name), "default", None)
        if answer is None:
            raise self._missing(f"inputs.{name or '…'}", question)
        self._once(f"input {name}", f"the answer `inputs.{name}` cannot be used: {note}".rstrip(": "))
        return str(answer)

    def _token_of_step(self) -> str:
        """The site profile's name of the token that the step at hand uses."""
        steps = (step for _, step in self._runbook.steps() if step.id == self._step)
        token = next((step.params.get("token") for step in steps), None)
        return token if isinstance(token, str) else ""

    def _once(self, what: str, otherwise: str) -> None:
        if what in self._used:
            raise PromptCancelled(otherwise, remedy="Correct the answers file, then start a new run.")
        self._used.add(what)

    def _missing(self, key: str, question: str) -> PromptCancelled:
        return PromptCancelled(
            f"the answers have no `{key}` ({question})",
            where=self._step,
            remedy=f"Add `{key}` to the answers file (--answers), or run it at a terminal.",
        )


def _covers(listed: str | Iterable[str], step_id: str) -> bool:
    return listed == "all" or step_id in listed
