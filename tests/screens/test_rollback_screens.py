"""A roll-back on the screens: marked as one, its list of what stays, and the exact commands at each question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from runbook.model import Runbook
from runbook.operator import AttestRequest, ConfirmRequest
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.record.recovery import Recovered
from runbook.record.state import RunState, fold
from runbook.run.rollback import roll_back
from screens.app import RunbookApp
from tests.screens.conftest import Driven
from tests.screens.scripted import SAID, Play, asks, ends, session, started

CUTOVER = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "cutover",
        "title": "CA cutover to the hardware intermediate",
        "stages": [
            {
                "id": "B",
                "title": "The new root is committed and distributed",
                "steps": [
                    {
                        "id": "B3.commit",
                        "title": "The artefacts are committed with a loud message",
                        "action": "git.commit",
                        "backout": [
                            {"action": "git.revert", "title": "The commit of the new root is taken back, and pushed"}
                        ],
                    },
                    {
                        "id": "B4.production",
                        "title": "Every other host trusts the new root",
                        "action": "ansible",
                        "backout": [{"stays": "The new SSH user CA stays trusted until its line is removed by hand"}],
                    },
                ],
            },
            {
                "id": "G",
                "title": "The cutover",
                "steps": [
                    {
                        "id": "G2.down",
                        "title": "The CA goes down",
                        "action": "command",
                        "backout": [{"action": "command", "title": "The CA of before comes up again, from its volume"}],
                    },
                    {
                        "id": "G3.wipe",
                        "title": "The CA's volume is wiped and made anew",
                        "action": "docker.volume.recreate",
                        "irreversible": True,
                        "gate": {"phrase": "WIPE ccat-ca_step-ca-data"},
                        "backout": [
                            {"action": "docker.volume.recreate", "title": "What the cutover put into the volume goes"},
                            {"action": "docker.volume.restore", "title": "The snapshot of the old CA is put back"},
                        ],
                    },
                    {
                        "id": "G4.fill",
                        "title": "The four files go into the volume",
                        "action": "docker.volume.populate",
                        "backout": [{"undone_by": "G3.wipe"}],
                    },
                    {
                        "id": "G5.up",
                        "title": "The CA comes up",
                        "action": "command",
                        "backout": [
                            {"action": "command", "title": "The new CA goes down, and lets go of the token"},
                            {"stays": "What it has issued stays valid until it expires"},
                        ],
                    },
                ],
            },
        ],
    }
)


def recovered() -> Recovered:
    """A run that came to G5.up and was killed there."""
    header = started(CUTOVER)
    steps = [step.id for _, step in CUTOVER.steps()]
    told = [ev.StepStarted(step, 1, "kind", {}) for step in steps]
    done = [ev.StepFinished(step, 1, Outcome.passed("done", SAID)) for step in steps[:-1]]
    return Recovered(header, fold([header, *told, *done], RunState()), {}, "3F9A07C1" * 8, 9, 0, 0, "")


@asynccontextmanager
async def rolling_back(size: tuple[int, int], **changed: Play) -> AsyncIterator[Driven]:
    """A roll-back with every step green, but for those given (dots written as underscores)."""
    made = roll_back(CUTOVER, recovered())
    first = made.runbook.stages[0].steps[0]
    statements = tuple(first.params["statements"])
    plays = {step.id: ends(Outcome.passed("undone", SAID)) for _, step in made.runbook.steps()}
    plays[first.id] = asks("attest", AttestRequest(first.id, statements))
    plays["G5.up.undo"] = asks(
        "confirm",
        ConfirmRequest(
            "Do G5.up.undo now, which undoes G5.up?",
            (
                "The new CA goes down, and lets go of the token",
                "Whether G5.up was done is not known, it had begun when the run was left; its probe says `done`.",
                "ccat ca down",
                "in the folder /opt/data-center/system-integration, on ca",
            ),
        ),
    )
    plays |= {step: changed[step.replace(".", "_")] for step in plays if step.replace(".", "_") in changed}
    new, walks = session(made.runbook, plays)
    app = RunbookApp(replace(new, rolls_back="20260429-084500-cutover-9e2c"))
    async with app.run_test(size=size) as pilot:
        driven = Driven(app, pilot, walks, [])
        await driven.settle()
        yield driven


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_it_is_marked_and_says_what_stays(size: tuple[int, int], picture: Callable[[Driven, str], None]) -> None:
    async with rolling_back(size) as d:
        assert "ROLL-BACK" in d.screen.splitlines()[0]
        order = [line for line in d.screen.splitlines() if ".undo" in line]
        assert [next(word for word in line.split() if ".undo" in word) for line in order] == [
            "G5.up.undo",
            "G3.wipe.undo1",
            "G3.wipe.undo2",
            "G2.down.undo",
            "B3.commit.undo",
        ]
        await d.press("r")
        shown = " ".join(d.screen.split())
        assert "Undone, the newest first: G5.up (in doubt)" in shown
        assert size == (80, 24) or "G4.fill (with G3.wipe)" in shown
        picture(d, "list")


async def test_the_question_shows_what_is_done_exactly(picture: Callable[[Driven, str], None]) -> None:
    async with rolling_back((80, 24)) as d:
        await d.press("r", *["space", "down"] * 4, "enter", "r")
        shown = " ".join(d.screen.replace("┃", " ").split())
        assert "ccat ca down" in shown
        assert "Whether G5.up was done is not known" in shown
        assert "▸ No ◂" in d.screen, "the safe answer has the focus"
        picture(d, "question")
