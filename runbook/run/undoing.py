"""What a roll-back asks before it undoes a step that may not have been done: the step's own probe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runbook.model import Step
from runbook.outcome import Outcome
from runbook.probing import Answer, NothingToUndo, answer_of
from runbook.record.events import StepProbed
from runbook.run.rollback import Undone
from runbook.run.stepping import ProbeRun

if TYPE_CHECKING:
    from runbook.run.engine import Engine


class Undoing:
    """The doubts of the run that is rolled back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._said: dict[str, str] = {}
        """By step of the rolled-back run that is in doubt: what its probe said."""

    async def nothing(self, step: Step) -> bool:
        """Whether there is nothing to undo, for the step was not done; then the record says so, and it is over."""
        engine = self._engine
        undone = self._of(step)
        if undone is None or not undone.doubt or undone.step.id in self._said:
            return False
        states = [engine.state.step(way.id) for way in undone.ways]
        if any(state.attempt for state in states):
            return False
        found = [outcome for state in states if (outcome := state.outcome) and _is_nothing(outcome)]
        outcome = found[0] if found else await self._probe(step, undone)
        if outcome is not None:
            await engine.finish(step, 0, outcome)
        return outcome is not None

    async def _probe(self, step: Step, undone: Undone) -> Outcome | None:
        """The outcome of a step that has nothing to undo; None where it has, or may have."""
        probe = undone.step.probe
        if probe is None:
            self._said[undone.step.id] = "it has no probe"
            return None
        asked = step.model_copy(update={"deadline": undone.step.deadline})
        outcome = await ProbeRun(self._engine, asked, probe).outcome()
        answer = answer_of(outcome)
        # What is asked is not whether it is undone already.
        told = replace(outcome, summary=f"of {undone.step.id}, which this undoes: {outcome.summary}")
        await self._engine.record(StepProbed(step.id, answer, told))
        if answer is not Answer.NOT_DONE:
            self._said[undone.step.id] = f"its probe says `{answer}`: {outcome.summary}"
            return None
        nothing = NothingToUndo(step=undone.step.id, probe=outcome.summary)
        return Outcome.passed(f"nothing to undo: {undone.step.id} was not done", nothing, *outcome.evidence)

    def notes(self, step: Step) -> tuple[str, ...]:
        """What a person should know before the step is undone."""
        undone = self._of(step)
        if undone is None or not undone.doubt:
            return ()
        said = self._said.get(undone.step.id, "")
        return (f"Whether {undone.step.id} was done is not known, {undone.doubt}{f'; {said}' if said else ''}.",)

    def _of(self, step: Step) -> Undone | None:
        rollback = self._engine.plan.rollback
        return rollback.of(step.id) if rollback else None


def _is_nothing(outcome: Outcome) -> bool:
    return any(isinstance(evidence, NothingToUndo) for evidence in outcome.evidence)
