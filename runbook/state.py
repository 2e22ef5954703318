"""The state of a run as a fold over its events: the journal alone tells it, live and on reading back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from runbook import events as ev
from runbook.model import Runbook
from runbook.outcome import Outcome, Verdict


class Status(StrEnum):
    """Where a step stands; beside the verdicts, the states it passes through."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    NEEDS_YOU = "needs you"
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    IN_DOUBT = "in doubt"

    @property
    def green(self) -> bool:
        return self in (Status.PASSED, Status.WARNED)

    @property
    def ended(self) -> bool:
        return self.value in {verdict.value for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class StepState:
    """One step so far."""

    status: Status = Status.WAITING
    attempt: int = 0
    outcome: Outcome | None = None
    hints: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    reason: str = ""
    """Why it was skipped."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunState:
    """A run so far."""

    run_id: str = ""
    rehearsal: bool = False
    steps: dict[str, StepState] = field(default_factory=dict)
    """By step id; a step not in it is waiting."""
    at: str = ""
    """The step at hand."""
    facts: dict[str, str] = field(default_factory=dict)
    """Established facts and the step that established each."""
    inputs: dict[str, str | None] = field(default_factory=dict)
    """Values of the inputs given; None for a secret."""
    deviations: tuple[str, ...] = ()
    """Skips, retries and overrides in words, in order."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Tokens that came or went while in use, and what was noticed last: `removed`, `inserted`, `swapped`."""
    notes: tuple[tuple[str, str], ...] = ()
    """Step id and text."""
    finished: str = ""
    """Empty, or `green`, `failed`, `stopped`."""
    reason: str = ""

    @property
    def ending(self) -> str:
        """How the run ended, in words that begin with its state; empty while it goes on."""
        if not self.reason or self.reason.split()[0] == self.finished:
            return self.reason or self.finished
        return f"{self.finished}: {self.reason}"

    def step(self, step_id: str) -> StepState:
        return self.steps.get(step_id, StepState())

    def stage_green(self, runbook: Runbook, stage_id: str) -> bool:
        """Whether every step of the stage is green."""
        stage = next(stage for stage in runbook.stages if stage.id == stage_id)
        return all(self.step(step.id).status.green for step in stage.steps)


def fold(events: Iterable[ev.Event], state: RunState | None = None) -> RunState:
    """The state after all of these events."""
    state = state or RunState()
    for event in events:
        state = apply(state, event)
    return state


def apply(state: RunState, event: ev.Event) -> RunState:
    """The state after one more event."""
    match event:
        case ev.RunStarted():
            return replace(state, run_id=event.run_id, rehearsal=event.rehearsal)
        case ev.InputGiven():
            return replace(state, inputs={**state.inputs, event.name: event.value})
        case ev.StepBlocked():
            return _step(state, event.step, status=Status.BLOCKED, unmet=event.unmet)
        case ev.StepStarted():
            return _step(
                state, event.step, status=Status.RUNNING, attempt=event.attempt, outcome=None, hints=(), unmet=()
            )
        case ev.PromptShown():
            return _step(state, event.step, status=Status.NEEDS_YOU)
        case ev.PromptAnswered():
            return _step(state, event.step, status=Status.RUNNING)
        case ev.StepFinished():
            status = Status(event.outcome.verdict.value)
            return _step(
                state, event.step, status=status, outcome=event.outcome, hints=event.hints, seconds=event.seconds
            )
        case ev.StepSkipped():
            skipped = _step(state, event.step, status=Status.SKIPPED, reason=event.reason)
            return replace(skipped, deviations=(*state.deviations, f"{event.step} skipped: {event.reason}"))
        case ev.StepRetried() | ev.GuardOverridden():
            return replace(state, deviations=(*state.deviations, _deviation(event)))
        case ev.TokenNoticed():
            return replace(state, tokens={**state.tokens, event.token: event.state})
        case ev.FactEstablished():
            return replace(state, facts={**state.facts, event.fact: event.step})
        case ev.NoteAdded():
            return replace(state, notes=(*state.notes, (event.step, event.text)))
        case ev.RunFinished():
            return replace(state, finished=event.state, reason=event.reason)
        case _:
            return state


def _deviation(event: ev.StepRetried | ev.GuardOverridden) -> str:
    if isinstance(event, ev.StepRetried):
        return f"{event.step} tried again"
    return f"{event.step} overrode the {event.guard}: {event.reason}"


def _step(state: RunState, step_id: str, **changes: object) -> RunState:
    changed = replace(state.step(step_id), **changes)  # type: ignore[arg-type]
    return replace(state, steps={**state.steps, step_id: changed}, at=step_id)
