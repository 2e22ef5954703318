"""The first records of a run, and of each time it goes on: what is walked, and that it was agreed to (design §8)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.errors import EnvironmentLacks, OperatorStopped, PromptCancelled, StepError
from runbook.gates.gate_lines import RESUME, approved_title
from runbook.people.approval import ExactAction
from runbook.people.witness import SecondPeople
from runbook.record.events import PinResult, RunResumed
from runbook.record.state import RunState
from runbook.site import TwoPeople

if TYPE_CHECKING:
    from runbook.run.engine import Engine


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A run that goes on: what its journal said, and the event that begins this part of it."""

    event: RunResumed
    state: RunState
    inputs: Mapping[str, str]
    """Values of the inputs; a secret is asked for again."""
    two_people: TwoPeople | None = None
    """Who may agree to `RunResumed.changes`: as the site profile of the start says, not a changed one."""


async def begin(engine: Engine, taken_up: TakenUp | None) -> None:
    """Record that the run starts, or goes on; raises OperatorStopped where it may not go on."""
    if taken_up is None:
        await engine.record(engine.plan.header)
    else:
        await _go_on(engine, taken_up)
    for name, content in engine.plan.files.items():
        if engine.state.attached.get(name) != hashlib.sha256(content).hexdigest():
            await engine.attach("", name, content)


async def _go_on(engine: Engine, taken_up: TakenUp) -> None:
    """Also put on record what the last driver no longer could."""
    engine.inputs.restore(taken_up.inputs, kept=taken_up.state.typed)
    if taken_up.event.changes:
        await _agreed(engine, taken_up)
    await engine.record(taken_up.event)
    for pin in engine.state.pins:
        await engine.record(PinResult(pin.step, pin.token, None, None, pin.who))
    for _, step in engine.plan.runbook.steps():
        if engine.state.step(step.id).status.holds:
            await engine.establish(step)


async def _agreed(engine: Engine, taken_up: TakenUp) -> None:
    """Two people agree to the changes, or the run does not go on."""
    event = taken_up.event
    if taken_up.two_people is None:
        raise OperatorStopped("the site profile of the start names nobody who could agree to the changes")
    people = SecondPeople(engine.plan.header, engine.run_folder, taken_up.two_people, engine, engine.redactor)
    params = {"runbook_sha256": event.runbook_sha256, "site_sha256": event.site_sha256}
    action = ExactAction.of(RESUME, params, event.changes, engine.redactor)
    try:
        await people.begin(engine.operator, gated=True)
        await people.obtain(RESUME, approved_title(engine.plan.runbook, RESUME), action, engine.operator)
    except (StepError, PromptCancelled, EnvironmentLacks) as error:
        raise OperatorStopped(f"the changes were not agreed to: {error.what}") from error
    finally:
        await people.close()
