"""A run that has a step in every state there is."""

from __future__ import annotations

import asyncio

from textual.pilot import Pilot

from runbook.errors import ExitCode
from runbook.model import Runbook
from runbook.outcome import Outcome
from runbook.record.state import RunState, Status, StepState
from runbook.run.session import Session
from tests.screens.samples import EVIDENCE, GREEN
from tests.screens.scripted import session

WALKED = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "every-state",
        "title": "Every state at once",
        "facts": {"closed": "The chassis is closed"},
        "stages": [
            {
                "id": "A",
                "title": "States",
                "steps": [
                    {
                        "id": f"A{number}",
                        "title": f"A step that is {status.value}",
                        "check": "slots",
                        "token": "intermediate",
                        "requires": ["closed"],
                    }
                    for number, status in enumerate(Status)
                ],
            }
        ],
    }
)

_FOUND = EVIDENCE["slots"]
_STATES = {
    Status.WAITING: StepState(),
    Status.BLOCKED: StepState(Status.BLOCKED, unmet=("the fact `closed` is not established",)),
    Status.RUNNING: StepState(Status.RUNNING, 1, begun=True),
    Status.NEEDS_YOU: StepState(Status.NEEDS_YOU, 1, begun=True),
    Status.PASSED: StepState(Status.PASSED, 1, Outcome.passed("one token", _FOUND[0]), seconds=0.2),
    Status.WARNED: StepState(Status.WARNED, 1, Outcome.warned("one token, and a slot more", _FOUND[0]), seconds=1),
    Status.FAILED: StepState(Status.FAILED, 2, Outcome.failed("another token", _FOUND[1]), ("Likely: another one",)),
    Status.ERRORED: StepState(Status.ERRORED, 1, Outcome.errored("the module cannot be loaded", remedy="Install it.")),
    Status.SKIPPED: StepState(Status.SKIPPED, reason="the drill is over"),
    Status.NOT_HERE: StepState(Status.NOT_HERE, reason="the lab has no port"),
    Status.IN_DOUBT: StepState(Status.IN_DOUBT, 1, Outcome.in_doubt("the run was left"), in_doubt=True),
}
HISTORY = RunState(
    run_id="20260429-084500-every-state-9e2c",
    steps={f"A{number}": _STATES[status] for number, status in enumerate(Status)},
    at="A0",
    deviations=("A8 was skipped: the drill is over",),
)


async def until_still(pilot: Pilot[ExitCode]) -> None:
    """Until what is shown stays the same for some rounds of the event loop."""
    same, before = 0, ""
    async with asyncio.timeout(60):
        while same < 5:
            await pilot.pause(0.01)
            strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
            now = "\n".join(strip.text for strip in strips)
            same, before = (same + 1 if now == before else 0), now


def every_state() -> Session:
    """A session that goes on with it."""
    return session(WALKED, GREEN, rehearsal=True, history=HISTORY)[0]
