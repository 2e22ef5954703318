"""Pictures of what gates ask for, of going on after a run was left, and of the witness's screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.preferences import Preferences
from runbook.probing import Answer
from runbook.record import events as ev
from runbook.record.runlock import Holder
from tests.screens.conftest import Drive, Driven, StoppedClock
from tests.screens.gate_samples import LEFT, NO_RETURN, WITNESS, doubt
from tests.screens.scripted import asks
from tests.screens.test_pictures import both_sizes, readable
from tests.screens.witnessed import witnessed

Picture = Callable[[Driven, str], None]


@both_sizes
async def test_the_point_of_no_return(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, rehearsal=True, P_people=asks("point_of_no_return", NO_RETURN)) as d:
        await d.press("r")
        readable(d)
        picture(d, "point of no return")


async def test_a_phrase_that_differs(drive: Drive, picture: Picture) -> None:
    async with drive(P_people=asks("point_of_no_return", NO_RETURN)) as d:
        await d.press("r", "pagedown", "shift+tab", "text:WIPE ccat_ca")
        readable(d)
        picture(d, "phrase that differs")


async def test_the_point_of_no_return_without_colour(drive: Drive, picture: Picture) -> None:
    async with drive(
        (120, 40), preferences=Preferences(colour=False), P_people=asks("point_of_no_return", NO_RETURN)
    ) as d:
        await d.press("r")
        picture(d, "no colour")


@both_sizes
async def test_the_second_person_at_the_keyboard(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, P_people=asks("witness", WITNESS)) as d:
        await d.press("r")
        readable(d)
        picture(d, "second person")


@both_sizes
async def test_in_doubt_in_a_resumed_run(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, rehearsal=True, history=LEFT, moments={"A1.slots": doubt(Answer.PARTLY)}) as d:
        readable(d)
        picture(d, "in doubt")


@both_sizes
async def test_the_witness_is_asked(
    picture: Picture, tmp_path: Path, wall_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """What is drawn by chance or by the clock stands still: nonce, salts and with them head and code."""
    monkeypatch.setattr("secrets.token_hex", lambda count=16: "0" * 2 * count)
    monkeypatch.setattr("runbook.people.following.Following.head", "0001 C0DE 9A7F 07C1 3F9A")
    monkeypatch.setattr("runbook.people.following.Following.head_asked", "0001 C0DE 9A7F 07C1 3F9A")
    monkeypatch.setattr("runbook.people.following.Following.code", "3F9A 07C1")
    monkeypatch.setattr("runbook.people.following.holder", lambda _folder: Holder("anna", "input-b", 7, ""))
    async with witnessed(tmp_path, size, ev.StepStarted("A1.slots", 1, "slots", {}), rehearsal=True) as d:
        await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        readable(d)
        picture(d, "asked")
        await d.press("escape")
        readable(d)
        picture(d, "following")
