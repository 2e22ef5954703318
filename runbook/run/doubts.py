"""Actions that may be done already: the probe is asked, then the operator; nothing is done twice unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.errors import PromptCancelled
from runbook.model import Role, Step
from runbook.operator import Decided, Decision, Moment, PhraseRequest, TextRequest
from runbook.outcome import Outcome
from runbook.probing import Answer, Probed, TakenAsDone, answer_of, phrase_again
from runbook.record.events import StepProbed, StepSettled
from runbook.run.deadline import Deadline
from runbook.run.recording import RecordingOperator
from runbook.run.stepping import ProbeRun

if TYPE_CHECKING:
    from runbook.run.engine import Engine

_QUESTIONS = {
    Decision.DONE: "Why does it count as done?",
    Decision.RETRY: "Why is it run again?",
}

LEFT = Outcome.in_doubt("it had begun when the run was left; whether it is done is not known", symptom="stopped")
"""The outcome of an attempt whose driver died."""


class Doubts:
    """What is not known of the actions of one run, and how it is settled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def about(self, step: Step) -> bool:
        """Whether the step may have done something that must not be done twice unasked."""
        state = self._engine.state.step(step.id)
        if step.role is not Role.ACTION or state.over:
            return False
        return state.in_doubt or (step.irreversible and state.attempt > 0)

    async def probe(self, step: Step) -> Probed | None:
        """Ask the step's probe and record its answer; None where it has none."""
        if step.probe is None:
            return None
        outcome = await ProbeRun(self._engine, step, step.probe).outcome()
        probed = Probed(answer_of(outcome), outcome)
        await self._engine.record(StepProbed(step.id, probed.answer, outcome))
        return probed

    async def decide(self, step: Step, hints: tuple[str, ...] = ()) -> tuple[Decided, Probed | None]:
        """The operator's decision on a step that is in doubt, with its reason, and what it rests on."""
        engine = self._engine
        probed = await self.probe(step)
        moment = Moment(
            step.id,
            step.title,
            outcome=engine.state.step(step.id).outcome or LEFT,
            hints=hints,
            probed=probed,
            allowed=(Decision.DONE, Decision.RETRY, Decision.SKIP, Decision.STOP),
        )
        operator = RecordingOperator(engine.operator, step.id, engine.record, Deadline(step.deadline))
        while True:
            decided = await engine.operator.decide(moment)
            try:
                if decided.decision in _QUESTIONS and not decided.reason:
                    reason = await operator.text(TextRequest(_QUESTIONS[decided.decision]))
                    decided = Decided(decided.decision, reason)
                if decided.decision is not Decision.RETRY or await _sure(step, probed, operator):
                    return decided, probed
            except PromptCancelled:
                continue

    async def settle(self, step: Step, probed: Probed | None, reason: str) -> None:
        """Take the step as done."""
        await self._engine.record(StepSettled(step.id, Answer.DONE, reason))
        answer = probed.answer if probed else ""
        evidence = (*(probed.outcome.evidence if probed else ()), TakenAsDone(probe=answer, reason=reason))
        if answer == Answer.DONE:
            outcome = Outcome.passed("done already, as its probe says", *evidence)
        else:
            said = f"its probe says `{answer}`" if answer else "it has no probe"
            outcome = Outcome.warned(f"taken as done by the operator; {said}", *evidence)
        await self._engine.finish(step, self._engine.state.step(step.id).attempt, outcome)


async def _sure(step: Step, probed: Probed | None, operator: RecordingOperator) -> bool:
    """Where no probe says that it is not done, running it again takes a typed phrase."""
    if probed and probed.answer is Answer.NOT_DONE:
        return True
    said = f"its probe says `{probed.answer}`" if probed else "it has no probe"
    detail = (f"It may be done already, and {said}.", *(f"Way back: {line}" for line in step.ways_back))
    request = PhraseRequest(f"Type the phrase to run {step.id} a second time", phrase_again(step.id), detail)
    return await operator.type_phrase(request)
