"""A second person at the driver's keyboard: waiting is safe, signing is chosen, an answer from elsewhere ends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Input

from runbook.operator import SignsHere
from runbook.outcome import Outcome
from runbook.record import events as ev
from screens import clock
from screens.prompts.witness import WitnessPrompt
from tests.screens.conftest import Drive, StoppedClock
from tests.screens.gate_samples import COMMANDS, WITNESS
from tests.screens.scripted import SAID, ScriptedWalk, asks

ASKED = asks("witness", WITNESS)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_is_approved_and_the_code_are_shown(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size, P_people=ASKED) as d:
        await d.press("r")
        shown = " ".join(d.screen.replace("┃", " ").replace("▌", " ").split())
        for part in (
            *(command.removesuffix(" ccat-ca_step-ca-data") for command in COMMANDS),
            WITNESS.code,
            "berta",
            "carol",
            "runbook witness",
            "G3.wipe",
        ):
            assert part in shown


async def test_waiting_has_the_focus_and_answers_nothing(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "enter", "enter")
        assert d.walk.answers == []
        assert "Waiting for an answer" in d.screen


async def test_a_witness_signs_here_with_a_key_of_their_own(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "down", "down", "enter", "text:/home/carol/id", "enter")
        assert d.walk.answers == [SignsHere("carol", "/home/carol/id")]


async def test_without_a_path_nothing_is_signed(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "down", "enter", "enter")
        assert d.walk.answers == []
        assert "The path of the key must be written here" in d.screen


async def test_another_choice_takes_the_field_of_the_first_away(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "down", "enter", "text:/berta", "shift+tab", "down", "enter", "text:/carol")
        assert len(d.app.screen.query(Input)) == 1
        await d.press("shift+tab", "home", "enter")
        assert not d.app.screen.query(Input), "whoever waits signs nothing"
        assert d.walk.answers == []


async def test_the_time_that_is_left_runs_down(drive: Drive, wall_clock: StoppedClock) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r")
        assert "14:30" in d.screen
        wall_clock.go_on(60)
        await d.until("13:30")
        wall_clock.go_on(3600)
        await d.until("the time is over")


async def test_why_the_last_answer_was_refused_is_shown(drive: Drive) -> None:
    request = replace(WITNESS, problem="The answer of berta was not accepted: [/x] the key is the driver's")
    async with drive((120, 40), P_people=asks("witness", request)) as d:
        await d.press("r")
        assert "was not accepted: [/x] the key is the driver's" in d.screen


@pytest.mark.parametrize("keys", [(), ("down", "enter", "text:/x"), ("question_mark",), ("ctrl+q",)])
async def test_an_answer_from_elsewhere_takes_the_prompt_away(drive: Drive, keys: tuple[str, ...]) -> None:
    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        asking = asyncio.create_task(walk.operator.witness(WITNESS))
        await approved.wait()
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        return Outcome.passed("berta approved", SAID)

    async with drive(P_people=play) as d:
        approved = asyncio.Event()
        await d.press("r", *keys)
        assert any(isinstance(screen, WitnessPrompt) for screen in d.app.screen_stack)
        approved.set()
        await d.settle()
        assert not any(isinstance(screen, WitnessPrompt) for screen in d.app.screen_stack)
        assert [event.outcome.summary for event in d.walk.seen if isinstance(event, ev.StepFinished)] == [
            "berta approved"
        ]
        if type(d.app.screen).__name__ == "QuitPrompt":
            await d.press("escape")
        await d.press("r")
        assert "P.tree" in [event.step for event in d.walk.seen if isinstance(event, ev.StepFinished)]


@pytest.mark.parametrize(
    ("seconds", "said"), [(-1, "0:00"), (0, "0:00"), (0.2, "0:01"), (59, "0:59"), (61, "1:01"), (3661, "1:01:01")]
)
def test_a_countdown_ends_when_the_time_has_come(wall_clock: StoppedClock, seconds: float, said: str) -> None:
    until = (wall_clock.now() + timedelta(seconds=seconds)).isoformat()
    rest = clock.left(until)
    assert rest is not None
    assert clock.countdown(rest) == said


@pytest.mark.parametrize("text", ["", "soon", "2026-04-29T09:24:30"])
def test_what_is_no_time_counts_down_nothing(text: str) -> None:
    assert clock.left(text) is None
