"""The engine: walks a runbook step by step and yields what happens, each event once it is on disk (design §4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook import hints
from runbook.asking import Inputs
from runbook.clock import Clock, HostClock
from runbook.errors import OperatorStopped
from runbook.event import Event
from runbook.events import (
    FactEstablished,
    NoteAdded,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    StepBlocked,
    StepFinished,
    StepProgress,
    StepRetried,
    StepSkipped,
)
from runbook.gatekeeper import Gatekeeper
from runbook.journal import Journal
from runbook.kind import Registry
from runbook.model import Role, Runbook, Stage, Step
from runbook.operator import Decided, Decision, Moment, Operator
from runbook.outcome import Outcome, Verdict
from runbook.resources import Resources
from runbook.secrets import Redactor
from runbook.site import Site
from runbook.state import RunState, apply
from runbook.stepping import StepRun

PROGRESS_LIMIT = 20_000
"""Lines of live output that may wait to be shown; more are dropped (the evidence holds what counts)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be walked, by whom and with what."""

    header: RunStarted
    runbook: Runbook
    folder: Path
    """The folder of the runbook file; relative paths start here."""
    site: Site
    values: Mapping[str, tuple[str, str]]
    """Inputs known at the start: checked value and source."""


class Engine:
    """One run (`runbook.session.Walk`). The only writer of the journal: events go to disk, then to the reader."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        operator: Operator,
        journal: Journal,
        redactor: Redactor,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.plan = plan
        self.registry = registry
        self.operator = operator
        self.redactor = redactor
        self.state = RunState()
        self.resources = Resources(plan.site, redactor, self.record)
        self.inputs = Inputs(plan.runbook, self.record)
        self.gates = Gatekeeper(self, clock or HostClock())
        self._journal = journal
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._order = asyncio.Lock()
        self._walking: asyncio.Task[None] | None = None
        self._stopping = ""

    @property
    def head(self) -> str:
        return self._journal.head_short

    @property
    def selected(self) -> Collection[str]:
        """The ids of the stages of this run."""
        return self.plan.header.stages or tuple(stage.id for stage in self.plan.runbook.stages)

    async def events(self) -> AsyncGenerator[Event, None]:
        """Walk; call it once. Raises JournalError when the record cannot be written."""
        running = asyncio.create_task(self._run(), name="engine")
        try:
            while (event := await self._queue.get()) is not None:
                yield event
            await running
        finally:
            await _settled(running)

    async def record(self, event: Event) -> None:
        """On disk first, then into the state and to the reader.

        A cancelled step must not leave an event on disk that nobody was shown, so the writing is finished.
        """
        await asyncio.shield(self._write(event))

    async def _write(self, event: Event) -> None:
        async with self._order:
            shown = await self._journal.append(event)
            self.state = apply(self.state, shown)
            self._queue.put_nowait(shown)

    def progress(self, step_id: str, line: str) -> None:
        """A line of live output; already clean."""
        if self._queue.qsize() < PROGRESS_LIMIT:
            self._queue.put_nowait(StepProgress(step_id, line))

    async def note(self, text: str) -> None:
        await self.record(NoteAdded(self.state.at, text))

    def stop(self, reason: str) -> None:
        if not self._stopping:
            self._stopping = reason
            if self._walking is not None:
                self._walking.cancel()

    async def _run(self) -> None:
        self._walking = asyncio.create_task(self._walk(), name="walk")
        if self._stopping:
            self._walking.cancel()
        try:
            await asyncio.wait([self._walking])
            await self.resources.close()
            await self.record(self._end(self._walking))
        finally:
            await _settled(self._walking)
            await self.resources.close()
            self._queue.put_nowait(None)

    def _end(self, walking: asyncio.Task[None]) -> RunFinished:
        """How the run ended; raises what the walk died of."""
        try:
            walking.result()
        except OperatorStopped as stopped:
            return self._ended(stopped.what)
        except asyncio.CancelledError:
            return RunFinished("stopped", self._stopping)
        return self._verdict()

    async def _walk(self) -> None:
        await self.record(self.plan.header)
        for name, (value, source) in self.plan.values.items():
            await self.inputs.give(name, value, source)
        for stage in self.plan.runbook.stages:
            if stage.id in self.selected:
                await self._stage(stage)

    async def _stage(self, stage: Stage) -> None:
        await self.record(StageStarted(stage.id))
        try:
            for step in stage.steps:
                await self._step(step)
        finally:
            await self.resources.end_stage()
            await self.record(StageFinished(stage.id, self.state.stage_green(self.plan.runbook, stage.id)))

    async def _step(self, step: Step) -> None:
        """Until the step is green or skipped; raises OperatorStopped."""
        again = False
        while True:
            moment = await self.gates.before(step)
            if moment.unmet:
                await self.record(StepBlocked(step.id, moment.unmet))
                again = False
            decided = Decided(Decision.RUN) if again else await self.gates.decide(step, moment)
            if decided is None:
                continue
            if decided.decision is Decision.WINDOW:
                await self.gates.give_window(step, decided.reason)
                continue
            if not moment.unmet and decided.decision in (Decision.RUN, Decision.RETRY):
                outcome, lines = await self._attempt(step)
                if outcome.verdict.green:
                    return
                decided = await self.operator.decide(_after(step, outcome, lines))
            if decided.decision is Decision.SKIP:
                await self.record(StepSkipped(step.id, decided.reason))
                return
            if decided.decision is Decision.STOP:
                raise OperatorStopped(decided.reason or f"stopped at {step.id}")
            again = True
            await self._again(step)

    async def _attempt(self, step: Step) -> tuple[Outcome, tuple[str, ...]]:
        run = StepRun(self, step, self.state.step(step.id).attempt + 1)
        started = asyncio.get_running_loop().time()
        try:
            outcome = await run.outcome()
        except (asyncio.CancelledError, OperatorStopped):
            await self._finish(step, run.attempt, _interrupted(step, started=run.started), (), 0.0)
            raise
        lines = () if outcome.verdict.green else hints.matching(step, outcome)
        await self._finish(step, run.attempt, outcome, lines, asyncio.get_running_loop().time() - started)
        return outcome, lines

    async def _finish(self, step: Step, attempt: int, outcome: Outcome, lines: tuple[str, ...], seconds: float) -> None:
        await self.record(StepFinished(step.id, attempt, outcome, lines, round(seconds, 3)))
        if outcome.verdict.green:
            for fact in step.establishes:
                await self.record(FactEstablished(fact, step.id))

    async def _again(self, step: Step) -> None:
        await self.record(StepRetried(step.id))
        self.inputs.forget_paper(StepRun.names(step))

    def _verdict(self) -> RunFinished:
        steps = [step for stage in self.plan.runbook.stages if stage.id in self.selected for step in stage.steps]
        open_steps = [step.id for step in steps if not self.state.step(step.id).status.green]
        if not open_steps:
            return RunFinished("green")
        return RunFinished("failed", f"not green: {', '.join(open_steps)}")

    def _ended(self, reason: str) -> RunFinished:
        """A run that the operator ended after a step that was not green has failed; otherwise it was stopped."""
        failed = [step_id for step_id, step in self.state.steps.items() if step.outcome and not step.status.green]
        blocked = [step_id for step_id, step in self.state.steps.items() if step.unmet]
        return RunFinished("failed" if failed or blocked else "stopped", reason)


async def _settled(task: asyncio.Task[None]) -> None:
    """Cancel the task where it still runs, and wait until it has ended."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task])


def _after(step: Step, outcome: Outcome, lines: tuple[str, ...]) -> Moment:
    """An action in doubt, or one that cannot be undone, is never simply repeated."""
    once = step.role is Role.ACTION and (step.irreversible or outcome.verdict is Verdict.IN_DOUBT)
    allowed = (Decision.SKIP, Decision.STOP) if once else (Decision.RETRY, Decision.SKIP, Decision.STOP)
    return Moment(step.id, step.title, outcome=outcome, hints=lines, allowed=allowed)


def _interrupted(step: Step, *, started: bool) -> Outcome:
    if step.role is Role.ACTION and started:
        return Outcome.in_doubt("stopped while it was at work; whether it is done is not known", symptom="stopped")
    return Outcome.errored("stopped before it came to a verdict", symptom="stopped")
