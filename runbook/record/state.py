"""The state of a run as a fold over its events: the journal alone tells it, live and on reading back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import field
from msgspec.structs import replace

from runbook.event import Event
from runbook.model import Runbook
from runbook.outcome import Outcome, Verdict
from runbook.record import events as ev
from runbook.record import gate_events as gate
from runbook.standing import Status as Status  # noqa: PLC0414 - told with the state
from runbook.touched import Touched

_OVER = frozenset({status for status in Status if status.holds} | {Status.SKIPPED})


class StepState(msgspec.Struct, frozen=True):
    """One step so far."""

    status: Status = Status.WAITING
    attempt: int = 0
    outcome: Outcome | None = None
    hints: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    reason: str = ""
    """Why it was skipped, or is not rehearsed."""
    seconds: float = 0.0
    begun: bool = False
    """It was started and has not finished."""
    in_doubt: bool = False
    """Its last attempt may have done something, and whether it did is not known; a new attempt ends this."""

    @property
    def over(self) -> bool:
        """Nothing is left to do: it is green, or was skipped."""
        return self.status in _OVER


class RunState(msgspec.Struct, frozen=True):
    """A run so far; a Struct, for a long journal makes hundreds of thousands of them, and its copies cost little."""

    run_id: str = ""
    rehearsal: bool = False
    steps: dict[str, StepState] = field(default_factory=dict)
    """By step id; a step not in it is waiting."""
    at: str = ""
    """The step at hand."""
    stage: str = ""
    """The stage under way; empty between two."""
    facts: dict[str, str] = field(default_factory=dict)
    """Established facts and the step that established each."""
    inputs: dict[str, str | None] = field(default_factory=dict)
    """Values of the inputs given; None for a secret."""
    typed: frozenset[str] = frozenset()
    """Inputs given since the last step ended: what a step that is run again need not ask for again."""
    pins: tuple[ev.PinAttempt, ...] = ()
    """PINs that were about to be sent and whose result is not on record."""
    rolls_back: str = ""
    """The run whose steps are undone; empty: it is no roll-back."""
    rolls_back_head: str = ""
    """The last hash of that run's record."""
    files: ev.RunStarted | ev.RunResumed | None = None
    """The last record of what is walked: hashes of runbook, site profile and program."""
    touched: tuple[Touched, ...] = ()
    """What the run's steps have changed, in order, each once."""
    deviations: tuple[str, ...] = ()
    """Skips, retries and overrides in words, in order."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Tokens that came or went while in use, and what was noticed last: `removed`, `inserted`, `swapped`."""
    attached: dict[str, str] = field(default_factory=dict)
    """Files stored for the whole run: the SHA-256 of each name."""
    windows: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The time window of a stage: when it opens and closes, RFC 3339."""
    signers: str = ""
    """SHA-256 of the allowed-signers file that holds; empty: the run has none."""
    approvals: dict[str, str] = field(default_factory=dict)
    """Who approved which step."""
    acknowledged: int = 0
    """How many of the deviations the operator has acknowledged."""
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
        return all(self.step(step.id).status.holds for step in stage.steps)


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after all of these events."""
    state = state or RunState()
    for event in events:
        state = apply(state, event)
    return state


def apply(state: RunState, event: Event) -> RunState:
    """The state after one more event."""
    if isinstance(event, ev.StepRetried | ev.GuardOverridden | ev.StepSettled):
        return replace(state, deviations=(*state.deviations, _deviation(event)))
    return _of_step(state, event) or _of_run(state, event) or _of_surroundings(state, event) or state


def _of_step(state: RunState, event: Event) -> RunState | None:
    match event:
        case ev.StepBlocked():
            return _step(state, event.step, status=Status.BLOCKED, unmet=event.unmet)
        case ev.StepStarted():
            return _started(state, event)
        case ev.PromptShown():
            return _step(state, event.step, status=Status.NEEDS_YOU)
        case ev.PromptAnswered():
            return _step(state, event.step, status=Status.RUNNING)
        case ev.StepFinished():
            return _finished(state, event)
        case ev.StepSkipped():
            skipped = _step(state, event.step, status=Status.SKIPPED, reason=event.reason, begun=False)
            deviations = (*state.deviations, f"{event.step} skipped: {event.reason}")
            return replace(skipped, deviations=deviations, typed=frozenset())
        case ev.StepNotHere():
            return _step(state, event.step, status=Status.NOT_HERE, reason=event.reason)
        case gate.ApprovalGiven():
            return replace(state, approvals={**state.approvals, event.step: event.witness})
        case _:
            return None


def _of_run(state: RunState, event: Event) -> RunState | None:
    match event:
        case ev.RunStarted():
            return replace(
                state,
                run_id=event.run_id,
                rehearsal=event.rehearsal,
                rolls_back=event.rolls_back,
                rolls_back_head=event.rolls_back_head,
                files=event,
            )
        case ev.RunResumed():
            return _resumed(state, event)
        case ev.InputGiven():
            inputs = {**state.inputs, event.name: event.value}
            return replace(state, inputs=inputs, typed=state.typed | {event.name})
        case ev.StageStarted():
            return replace(state, stage=event.stage)
        case ev.StageFinished():
            return replace(state, stage="")
        case ev.PinAttempt():
            return replace(state, pins=(*state.pins, event))
        case ev.PinResult():
            open_pins = tuple(pin for pin in state.pins if (pin.step, pin.token) != (event.step, event.token))
            return replace(state, pins=open_pins)
        case gate.WindowSet():
            return _window(state, event)
        case ev.NoteAdded():
            return replace(state, notes=(*state.notes, (event.step, event.text)))
        case ev.DeviationsAcknowledged():
            return replace(state, acknowledged=event.count)
        case ev.RunFinished():
            return replace(state, finished=event.state, reason=event.reason)
        case _:
            return None


def _of_surroundings(state: RunState, event: Event) -> RunState | None:
    match event:
        case Touched():
            return state if event in state.touched else replace(state, touched=(*state.touched, event))
        case ev.TokenNoticed():
            return replace(state, tokens={**state.tokens, event.token: event.state})
        case ev.FactEstablished():
            return replace(state, facts={**state.facts, event.fact: event.step})
        case gate.PeopleNamed():
            return _people(state, event)
        case ev.Attached(step=""):
            return replace(state, attached={**state.attached, event.name: event.sha256})
        case _:
            return None


def _started(state: RunState, event: ev.StepStarted) -> RunState:
    return _step(
        state,
        event.step,
        status=Status.RUNNING,
        attempt=event.attempt,
        outcome=None,
        hints=(),
        unmet=(),
        begun=True,
        in_doubt=False,
    )


def _finished(state: RunState, event: ev.StepFinished) -> RunState:
    """An attempt that ended before it began, at its gate, leaves a doubt as it was."""
    verdict = event.outcome.verdict
    finished = _step(
        state,
        event.step,
        status=Status(verdict.value),
        outcome=event.outcome,
        hints=event.hints,
        seconds=event.seconds,
        begun=False,
        in_doubt=verdict is Verdict.IN_DOUBT or (state.step(event.step).in_doubt and not verdict.green),
    )
    return replace(finished, typed=frozenset())


def _resumed(state: RunState, event: ev.RunResumed) -> RunState:
    steps = {name: _left(step) for name, step in state.steps.items()}
    changes = tuple(f"went on although this changed: {change}" for change in event.changes)
    deviations = (*state.deviations, *changes)
    return replace(state, steps=steps, finished="", reason="", deviations=deviations, files=event)


def _left(step: StepState) -> StepState:
    """A step as it stands once its driver is gone: in doubt where it had begun, otherwise as before the last prompt."""
    if step.begun:
        return replace(step, status=Status.IN_DOUBT, begun=False, in_doubt=True)
    if step.status in (Status.RUNNING, Status.NEEDS_YOU):
        return replace(step, status=Status(step.outcome.verdict.value) if step.outcome else Status.WAITING)
    return step


def _people(state: RunState, event: gate.PeopleNamed) -> RunState:
    changed = state.signers not in ("", event.signers_sha256)
    said = ("the file of allowed signers was changed while the run was left",) if changed else ()
    return replace(state, signers=event.signers_sha256, deviations=(*state.deviations, *said))


def _window(state: RunState, event: gate.WindowSet) -> RunState:
    said = (f"the window of stage {event.stage} was changed: {event.reason}",) if event.reason else ()
    return replace(
        state,
        windows={**state.windows, event.stage: (event.opens, event.closes)},
        deviations=(*state.deviations, *said),
    )


def _deviation(event: ev.StepRetried | ev.GuardOverridden | ev.StepSettled) -> str:
    if isinstance(event, ev.StepRetried):
        return f"{event.step} tried again" + (f": {event.reason}" if event.reason else "")
    if isinstance(event, ev.StepSettled):
        return f"{event.step} is taken as {event.settled_as}: {event.reason}"
    return f"{event.step} overrode the {event.guard}: {event.reason}"


def _step(state: RunState, step_id: str, **changes: object) -> RunState:
    changed = replace(state.step(step_id), **changes)
    return replace(state, steps={**state.steps, step_id: changed}, at=step_id)
