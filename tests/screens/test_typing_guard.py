"""The rest of a line that is being typed is never taken for a PIN."""

from __future__ import annotations

import asyncio

import pytest

from runbook.outcome import Outcome
from screens import typing_guard
from screens.prompts.pin import PinPrompt
from tests.screens.conftest import Drive
from tests.screens.samples import PIN
from tests.screens.scripted import SAID, ScriptedWalk


@pytest.mark.parametrize("key", ["n", "slash", "colon"])
async def test_a_pin_prompt_that_comes_up_while_one_types(
    drive: Drive, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = asyncio.Event()
    time = 0.0
    monkeypatch.setattr(typing_guard, "monotonic", lambda: time)

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await begin.wait()
        walk.answers.append(await walk.operator.pin(PIN))
        return Outcome.passed("answered", SAID)

    async with drive(P_people=play) as d:
        await d.press("r", key, "text:the sheet came late")
        begin.set()
        async with asyncio.timeout(60):
            while not isinstance(d.app.screen, PinPrompt):
                await d.pilot.press("x")
        await d.pilot.press(*"123456", "enter", "escape")
        assert isinstance(d.app.screen, PinPrompt), "neither sent nor left"
        (told,) = (notice.message for notice in d.app._notifications)
        assert "as this came up were dropped" in told
        time += typing_guard.PAUSE
        await d.press("text:654321", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"654321"], "and nothing of it was kept"


async def test_who_only_looks_around_is_heard_at_once(drive: Drive) -> None:
    begin = asyncio.Event()

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await begin.wait()
        walk.answers.append(await walk.operator.pin(PIN))
        return Outcome.passed("answered", SAID)

    async with drive(P_people=play) as d:
        await d.press("r", "j", "k")
        begin.set()
        await d.comes(PinPrompt)
        await d.press("text:123456", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"123456"]
