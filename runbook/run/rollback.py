"""What a roll-back walks: the backouts of what a run has done, newest first, as a runbook (docs/rollback.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runbook.files.backouts import undoing, undone_by, what_stays
from runbook.files.templates import literal
from runbook.model import Role, Runbook, Stage, Step
from runbook.record.recovery import Recovered
from runbook.record.runs import ROLLBACK_LIST
from runbook.record.state import RunState, StepState

_A_LINE = 20
"""Steps that are named in one statement."""

NO_WAY = "the runbook names no way back"


@dataclass(frozen=True, slots=True)
class Undone:
    """A step of the run that did something, and how it goes back."""

    stage: Stage
    step: Step
    ways: tuple[Step, ...]
    """What is still to be walked."""
    doubt: str
    """Why it is not known whether it is done; empty: it is."""
    stays: tuple[str, ...]
    """What cannot be undone, and why."""
    along: tuple[str, ...] = ()
    """The steps whose ways back take it along."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """A roll-back as it is walked."""

    run_id: str
    """Of the run that is rolled back."""
    head: str
    """The last hash of its record."""
    runbook: Runbook
    steps: tuple[Undone, ...]
    """The newest first."""
    before: tuple[str, ...]
    """Steps that an earlier roll-back has undone."""
    never: tuple[str, ...]
    """Actions that the run never did."""

    def of(self, step_id: str) -> Undone | None:
        """What the step of the roll-back undoes."""
        return next((one for one in self.steps for way in one.ways if way.id == step_id), None)

    @property
    def attachment(self) -> bytes:
        """What is walked, as JSON (`runbook.model.Runbook`)."""
        return json.dumps(self.runbook.model_dump(mode="json", by_alias=True), indent=1).encode()


def roll_back(runbook: Runbook, run: Recovered, earlier: Sequence[RunState] = ()) -> Rollback:
    """The roll-back of a run of this runbook; `earlier`: the roll-backs of it that there were already."""
    undone = {name for state in earlier for name, step in state.steps.items() if step.status.green}
    steps = tuple(_steps(runbook, run.state, undone))
    made = Runbook(
        runbook=1,
        id=f"{runbook.id[:50]}-rollback",
        title=f"Roll-back of: {runbook.title}"[:2000],
        roles=runbook.roles,
        inputs=runbook.inputs,
        stages=(_list(runbook, steps), *_stages(runbook, steps)),
    )
    did = {step.id for step in _acted(runbook, run.state)}
    return Rollback(
        run_id=run.header.run_id,
        head=run.head,
        runbook=made,
        steps=steps,
        before=tuple(step.id for _, step in runbook.steps() if _all({way.id for way in undoing(step)}, undone)),
        never=tuple(step.id for _, step in runbook.steps() if step.role is Role.ACTION and step.id not in did),
    )


def _all(ways: set[str], undone: set[str]) -> bool:
    return bool(ways) and ways <= undone


def _acted(runbook: Runbook, state: RunState) -> Iterator[Step]:
    """The steps that did something, or may have, in order: what only a probe found done is not of this run."""
    for _, step in runbook.steps():
        now = state.step(step.id)
        attested = step.role is Role.ATTESTATION and step.backout and now.status.green
        if attested or (step.role is Role.ACTION and now.attempt > 0):
            yield step


def _steps(runbook: Runbook, state: RunState, undone: set[str]) -> Iterator[Undone]:
    acted = {step.id: step for step in _acted(runbook, state)}
    for step in reversed(acted.values()):
        ways, along = undoing(step), undone_by(step)
        left = tuple(way for way in ways if way.id not in undone)
        stays = what_stays(step)
        stays += tuple(
            f"the way back of {name} would undo it, and {name} was not done" for name in along if name not in acted
        )
        if not (ways or stays or along):
            stays = (f"it is irreversible, and {NO_WAY}" if step.irreversible else NO_WAY,)
        if left or stays or along:
            done = tuple(name for name in along if name in acted)
            yield Undone(runbook.stage_of(step.id), step, left, _doubt(state.step(step.id)), stays, done)


def _doubt(now: StepState) -> str:
    if now.status.green:
        return ""
    if now.begun:
        return "it had begun when the run was left"
    said = f": {now.outcome.summary}" if now.outcome else ""
    return f"it was begun and is {now.status}{said}"


def _stages(runbook: Runbook, steps: Sequence[Undone]) -> Iterator[Stage]:
    """Without the time windows: what went wrong in one is to be undone after it too."""
    for stage in reversed(runbook.stages):
        ways = tuple(way for one in steps if one.stage.id == stage.id for way in one.ways)
        if ways:
            yield Stage(id=stage.id, title=f"Back: {stage.title}"[:2000], goal=stage.goal, steps=ways)


def _list(runbook: Runbook, steps: Sequence[Undone]) -> Stage:
    """What a person reads and confirms before anything is undone."""
    walked = [f"{one.step.id} (in doubt)" if one.doubt else one.step.id for one in steps if one.ways]
    parts = [walked[start : start + _A_LINE] for start in range(0, len(walked), _A_LINE)]
    said = [
        f"{'Then' if number else 'Undone, the newest first'}: {', '.join(part)}" for number, part in enumerate(parts)
    ]
    along = [f"{one.step.id} (with {', '.join(one.along)})" for one in steps if one.along]
    said += [f"Undone along with another: {', '.join(along)}"] if along else []
    said += [f"Not undone: {one.step.id} ({one.step.title}): {stays}" for one in steps for stays in one.stays]
    statements = tuple(literal(line)[:2000] for line in said)
    taken = {stage.id.casefold() for stage in runbook.stages}
    return Stage(
        id=next(name for name in ("rollback", "rollback.0") if name not in taken),
        title="What is undone, and what cannot be",
        steps=(
            Step(
                id=ROLLBACK_LIST,
                title="This is to be undone, and this stays",
                goal="Nothing has been undone yet. A no ends it here, and the run can go on as if nothing had been.",
                role=Role.ATTESTATION,
                kind="attest",
                params={"statements": statements},
            ),
        ),
    )


def values_of(inputs: Mapping[str, tuple[str | None, str]], known: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The values of the run's inputs, for its roll-back; what is not `known` is asked for again."""
    return {name: (known[name], ROLLED_BACK) for name in inputs if name in known}


ROLLED_BACK = "rolled-back run"
"""Where the values of a roll-back's inputs are from (`InputGiven.source`)."""
