"""The engine: walks a runbook step by step and yields what happens, each event once it is on disk (design §4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runbook.errors import OperatorStopped, PromptCancelled
from runbook.event import Event
from runbook.gates.clock import Clock, HostClock
from runbook.kind import Registry
from runbook.model import Runbook, Step
from runbook.operator import AttestRequest, Operator
from runbook.outcome import Evidence, Outcome
from runbook.people.witness import SecondPeople
from runbook.record.events import (
    Attached,
    DeviationsAcknowledged,
    FactEstablished,
    NoteAdded,
    RunFinished,
    RunStarted,
    StepFinished,
    StepProgress,
    StepShown,
)
from runbook.record.journal import Journal
from runbook.record.records import redacted_evidence
from runbook.record.state import RunState, apply
from runbook.resources import Resources
from runbook.run.asking import Inputs
from runbook.run.beginning import TakenUp, begin
from runbook.run.doubts import Doubts
from runbook.run.gatekeeper import Gatekeeper
from runbook.run.rollback import Rollback
from runbook.run.shell import Lend, Shells
from runbook.run.undoing import Undoing
from runbook.run.walking import Walking
from runbook.secrets import Redactor
from runbook.site import Site

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
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What drives the run, attached to its record: names and bytes."""
    rollback: Rollback | None = None
    """Of what the steps are the way back; None: the run is no roll-back."""


class Engine:
    """One run (`runbook.run.session.Walk`). The only writer of the journal: events go to disk, then to the reader."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        operator: Operator,
        journal: Journal,
        redactor: Redactor,
        *,
        clock: Clock | None = None,
        taken_up: TakenUp | None = None,
    ) -> None:
        self.plan = plan
        self.registry = registry
        self.operator = operator
        self.redactor = redactor
        self.state = taken_up.state if taken_up else RunState()
        self.resources = Resources(plan.site, redactor, self.record)
        self.inputs = Inputs(plan.runbook, self.record)
        self.gates = Gatekeeper(self, clock or HostClock())
        self.doubts = Doubts(self)
        self.undoing = Undoing(self)
        self._steps = Walking(self)
        self._shells = Shells(self)
        two = plan.site.two_people
        self.second_people = SecondPeople(plan.header, journal.path.parent, two, self, redactor) if two else None
        self._taken_up = taken_up
        self._journal = journal
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._order = asyncio.Lock()
        self._walking: asyncio.Task[None] | None = None
        self._stopping = ""
        self._came_through = False
        """Every step was walked: what happens now no longer changes how the run ends."""

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

    async def record_at_head(self, make: Callable[[str], Event]) -> Event:
        """Record the event that is made of the head before it (64 hex digits); returns it as it was recorded."""
        return await asyncio.shield(self._write(make))

    async def _write(self, event: Event | Callable[[str], Event]) -> Event:
        async with self._order:
            shown = await self._journal.append(event if isinstance(event, Event) else event(self._journal.head))
            self.state = apply(self.state, shown)
            self._queue.put_nowait(shown)
            return shown

    async def attach(self, step_id: str, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        """Store it beside the journal without any known secret, record that, and return its SHA-256 in hex."""
        stored = await self._journal.store(content)
        await self.record(Attached(step_id, name, stored.sha256, stored.size))
        return stored.sha256

    @property
    def run_folder(self) -> Path:
        return self._journal.path.parent

    def progress(self, step_id: str, line: str) -> None:
        """A line of live output; already clean."""
        if self._queue.qsize() < PROGRESS_LIMIT:
            self._queue.put_nowait(StepProgress(step_id, line))

    def show(self, step_id: str, evidence: Evidence) -> None:
        """How far a step is."""
        if self._queue.qsize() < PROGRESS_LIMIT:
            self._queue.put_nowait(StepShown(step_id, redacted_evidence(evidence, self.redactor)))

    async def note(self, text: str) -> None:
        await self.record(NoteAdded(self.state.at, text))

    async def shell(self, step: str, lend: Lend) -> int:
        return await self._shells.open(step, lend)

    @property
    def ending(self) -> bool:
        """Whether the walk is over, or was told to end."""
        return bool(self._stopping) or self._walking is None or self._walking.done()

    def stop(self, reason: str) -> None:
        if not self._stopping:
            self._stopping = reason
            self._shells.call_off()
            if self._walking is not None:
                self._walking.cancel()

    async def _run(self) -> None:
        self._walking = asyncio.create_task(self._walk(), name="walk")
        if self._stopping:
            self._walking.cancel()
        try:
            await asyncio.wait([self._walking])
            await self._shells.close()
            await self._leave_second_people()
            await self.resources.close()
            await self.record(self._end(self._walking))
        finally:
            await _settled(self._walking)
            await self._leave_second_people()
            await self.resources.close()
            self._queue.put_nowait(None)

    async def _meet_second_people(self) -> None:
        steps = (step for stage, step in self.plan.runbook.steps() if stage.id in self.selected)
        if self.second_people is not None:
            await self.second_people.begin(self.operator, gated=any(step.gate.two_person for step in steps))

    async def _leave_second_people(self) -> None:
        if self.second_people is not None:
            await self.second_people.close()

    def _end(self, walking: asyncio.Task[None]) -> RunFinished:
        """How the run ended; raises what the walk died of."""
        try:
            walking.result()
        except OperatorStopped as stopped:
            return self._ended(stopped.what)
        except asyncio.CancelledError:
            if not self._came_through:
                return RunFinished("stopped", self._stopping)
        return self._verdict()

    async def _walk(self) -> None:
        await begin(self, self._taken_up)
        await self._meet_second_people()
        for name, (value, source) in self.plan.values.items():
            if self.inputs.values.get(name) != value:
                await self.inputs.give(name, value, source)
        try:
            for stage in self.plan.runbook.stages:
                if stage.id in self.selected:
                    await self._steps.stage(stage)
        except OperatorStopped:
            await self._acknowledge()
            raise
        self._came_through = True
        await self._acknowledge()

    async def _acknowledge(self) -> None:
        """Show the operator what did not go by the book; a run may end without their yes, and says so."""
        new = self.state.deviations[self.state.acknowledged :]
        if not new:
            return
        try:
            said = await self.operator.attest(AttestRequest("What did not go by the book", new, of_run=True))
        except (PromptCancelled, OperatorStopped):
            return
        if all(said.confirmed):
            await self.record(DeviationsAcknowledged(len(self.state.deviations), said.note))

    async def finish(
        self, step: Step, attempt: int, outcome: Outcome, lines: tuple[str, ...] = (), seconds: float = 0.0
    ) -> None:
        """Put on record how an attempt ended, and what is true by it."""
        await self.record(StepFinished(step.id, attempt, outcome, lines, round(seconds, 3)))
        if outcome.verdict.green:
            await self.establish(step)

    async def establish(self, step: Step) -> None:
        """Put on record what is true once the step is green."""
        for fact in step.establishes:
            if fact not in self.state.facts:
                await self.record(FactEstablished(fact, step.id))

    def _verdict(self) -> RunFinished:
        steps = [step for stage in self.plan.runbook.stages if stage.id in self.selected for step in stage.steps]
        open_steps = [step.id for step in steps if not self.state.step(step.id).status.holds]
        if not open_steps:
            return RunFinished("green")
        over = all(self.state.step(step.id).over for step in steps)
        return RunFinished("failed", f"not green: {', '.join(open_steps)}", over)

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
