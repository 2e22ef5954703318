"""How a stage is walked: each step until it is over, with what the operator decides in between (design §4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from runbook import hints
from runbook.errors import OperatorStopped
from runbook.model import Role, Stage, Step
from runbook.operator import Decided, Decision, Moment
from runbook.outcome import Outcome
from runbook.record.events import StageFinished, StageStarted, StepBlocked, StepNotHere, StepRetried, StepSkipped
from runbook.run.stepping import StepRun

if TYPE_CHECKING:
    from runbook.run.engine import Engine

STOPPED = "stopped"
"""The symptom of an attempt that was broken off."""


class Walking:
    """Walks the stages of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def stage(self, stage: Stage) -> None:
        under_way = self._engine.state.stage == stage.id
        if not under_way and all(self._engine.state.step(step.id).over for step in stage.steps):
            return
        if not under_way:
            await self._engine.record(StageStarted(stage.id))
        try:
            for step in stage.steps:
                if not await self._needless(stage, step):
                    await self._step(step)
        finally:
            await self._engine.resources.end_stage()
            await self._engine.record(
                StageFinished(stage.id, self._engine.state.stage_green(self._engine.plan.runbook, stage.id))
            )

    async def _step(self, step: Step) -> None:
        """Until the step is green or skipped; raises OperatorStopped."""
        again = tried = False
        if self._engine.doubts.about(step):
            if await self._settle(step):
                return
            again = tried = True
        while True:
            moment = await self._engine.gates.before(step)
            if moment.unmet:
                await self._engine.record(StepBlocked(step.id, moment.unmet))
                again = False
            decided = Decided(Decision.RUN) if again else await self._engine.gates.decide(step, moment)
            if decided is None:
                continue
            if decided.decision is Decision.WINDOW:
                await self._engine.gates.give_window(step, decided.reason)
                continue
            if not moment.unmet and decided.decision in (Decision.RUN, Decision.RETRY):
                if not tried and self._was_tried(step):
                    await self._again(step)
                outcome, lines = await self._attempt(step)
                if outcome.verdict.green:
                    return
                if self._engine.doubts.about(step):
                    if await self._settle(step, lines):
                        return
                    again = tried = True
                    continue
                decided = await self._engine.operator.decide(_after(step, outcome, lines))
            if await self._left(step, decided):
                return
            again = tried = True
            await self._again(step, decided.reason)

    async def _needless(self, stage: Stage, step: Step) -> bool:
        """Whether there is nothing to do at the step."""
        over = self._engine.state.step(step.id).over
        return over or await self._passed_over(stage, step) or await self._engine.undoing.nothing(step)

    async def _passed_over(self, stage: Stage, step: Step) -> bool:
        """Whether the lab of a rehearsal cannot serve the step."""
        mark = self._engine.plan.site.rehearsal
        reason = mark.why_not(stage.id, step.id) if mark else ""
        if not reason or self._engine.doubts.about(step):
            return False
        await self._engine.record(StepNotHere(step.id, reason))
        await self._engine.establish(step)
        return True

    async def _settle(self, step: Step, lines: tuple[str, ...] = ()) -> bool:
        """Whether a step that is in doubt is over now; otherwise it is run again."""
        decided, probed = await self._engine.doubts.decide(step, lines)
        if decided.decision is Decision.DONE:
            await self._engine.doubts.settle(step, probed, decided.reason)
            return True
        if await self._left(step, decided):
            return True
        await self._again(step, decided.reason)
        return False

    async def _left(self, step: Step, decided: Decided) -> bool:
        """Whether the step is skipped by this decision; raises OperatorStopped."""
        if decided.decision is Decision.STOP:
            raise OperatorStopped(decided.reason or f"stopped at {step.id}")
        if decided.decision is Decision.SKIP:
            await self._engine.record(StepSkipped(step.id, decided.reason))
        return decided.decision is Decision.SKIP

    async def _attempt(self, step: Step) -> tuple[Outcome, tuple[str, ...]]:
        run = StepRun(self._engine, step, self._engine.state.step(step.id).attempt + 1)
        started = asyncio.get_running_loop().time()
        try:
            outcome = await run.outcome()
        except (asyncio.CancelledError, OperatorStopped):
            await self._engine.finish(step, run.attempt, _interrupted(step, started=run.started), (), 0.0)
            raise
        lines = () if outcome.verdict.green else hints.matching(step, outcome)
        await self._engine.finish(step, run.attempt, outcome, lines, asyncio.get_running_loop().time() - started)
        return outcome, lines

    def _was_tried(self, step: Step) -> bool:
        """Whether an earlier attempt, before the run was left, came to a verdict that was not green."""
        outcome = self._engine.state.step(step.id).outcome
        return outcome is not None and outcome.symptom != STOPPED

    async def _again(self, step: Step, reason: str = "") -> None:
        await self._engine.record(StepRetried(step.id, reason))
        self._engine.inputs.forget_paper(StepRun.names(step))


def _after(step: Step, outcome: Outcome, lines: tuple[str, ...]) -> Moment:
    allowed = (Decision.RETRY, Decision.SKIP, Decision.STOP)
    return Moment(step.id, step.title, outcome=outcome, hints=lines, allowed=allowed)


def _interrupted(step: Step, *, started: bool) -> Outcome:
    if step.role is Role.ACTION and started:
        return Outcome.in_doubt("stopped while it was at work; whether it is done is not known", symptom=STOPPED)
    return Outcome.errored("stopped before it came to a verdict", symptom=STOPPED)
