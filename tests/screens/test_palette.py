"""The command palette: what it offers, and that it never stands in the way of a prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

import pytest
from textual.command import CommandList

from runbook.help_texts import kinds_used
from runbook.model import Runbook
from runbook.outcome import Outcome
from runbook.preferences import ThemeName
from runbook.record import events as ev
from screens.app import RunbookApp
from screens.help_screen import HelpScreen
from screens.palette.palette import Palette
from screens.prompts.pin import PinPrompt
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import PIN, RUNBOOK
from tests.screens.scripted import SAID, ScriptedWalk, asks
from tests.screens.scripted import session as scripted_session
from tests.screens.test_pictures import both_sizes, readable

Picture = Callable[[Driven, str], None]


async def opened(d: Driven, *keys: str) -> list[str]:
    """The lines of the palette once it is open and these keys were pressed."""
    await d.press("colon")
    async with asyncio.timeout(60):
        while not (isinstance(d.app.screen, Palette) and d.app.screen.query(CommandList) and listed(d)):
            await d.pilot.pause(0.01)
    return await typed(d, *keys)


async def typed(d: Driven, *keys: str) -> list[str]:
    """The lines once these keys were pressed and nothing is gathered any more."""
    for key in keys:
        await d.press(key)
    async with asyncio.timeout(60):
        while any(worker.node is d.app.screen and not worker.is_finished for worker in d.app.workers):
            await d.pilot.pause(0.01)
    await d.settle()
    return listed(d)


def listed(d: Driven) -> list[str]:
    return [str(option.prompt) for commands in d.app.screen.query(CommandList) for option in commands.options]


def named(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


async def test_it_offers_what_works_now_with_its_key(drive: Drive) -> None:
    async with drive() as d:
        lines = await opened(d)
        assert lines[0].split()[:3] == ["r", "Enter", "run"]
        assert named(lines, "continue", "run on by itself")
        assert not named(lines, "try again"), "there is nothing to try again"
        assert not named(lines, "a step in doubt as done")
        for _, step in RUNBOOK.steps():
            assert named(lines, "go to", step.id, step.title)
        for role, kind in kinds_used(RUNBOOK):
            assert named(lines, "help on", "attestation" if kind == "attest" else f"{role.value} {kind}")
        for theme in ThemeName:
            assert named(lines, "theme", theme.value)


async def test_an_action_is_done(drive: Drive) -> None:
    async with drive() as d:
        await opened(d, "text:run the step", "enter")
        await d.settle()
        assert [event.step for event in d.walk.seen if isinstance(event, ev.StepFinished)] == ["P.people"]
        assert d.app.screen is d.app.run_screen


async def test_a_step_is_gone_to(drive: Drive) -> None:
    async with drive() as d:
        lines = await opened(d, "text:intermediate key")
        assert lines[0].split()[:4] == ["go", "to", "○", "A3.sign"]
        await d.press("enter")
        assert d.app.run_screen.shown == "A3.sign"


async def test_the_best_match_comes_first(drive: Drive) -> None:
    async with drive() as d:
        assert "A1.slots" in (await opened(d, "text:a1"))[0]
        await d.press("escape")
        assert "skip" in (await opened(d, "text:skip"))[0]
        await d.press("escape")
        assert "theme" in (await opened(d, "text:theme li"))[0]


async def test_a_theme_is_changed(drive: Drive) -> None:
    async with drive() as d:
        before = d.app.theme
        await opened(d, "text:theme light", "enter")
        assert d.app.theme_name is ThemeName.LIGHT
        assert d.app.theme != before


async def test_help_on_a_kind_is_opened(drive: Drive) -> None:
    async with drive() as d:
        await opened(d, "text:help sign_test", "enter")
        assert isinstance(d.app.screen, HelpScreen)
        await d.until("used by A3.sign")
        await d.press("escape", "escape")
        assert d.app.screen is d.app.run_screen


async def test_keys_move_in_it(drive: Drive) -> None:
    async with drive() as d:
        await opened(d)
        commands = d.app.screen.query_one(CommandList)
        await d.press("down", "ctrl+n")
        assert commands.highlighted == 2
        await d.press("up", "ctrl+p")
        assert commands.highlighted == 0
        await d.press("escape")
        assert d.app.screen is d.app.run_screen
        assert not d.walk.decided


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_it_does_not_open_over_a_prompt(drive: Drive, key: str) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", "text:12345", key, "enter")
        assert not isinstance(d.app.screen, Palette)
        (pin,) = d.walk.answers or (None,)
        if key == "colon":
            assert pin is not None
            assert pin.reveal() == b"12345:", "it is a character of the PIN"
        else:
            assert isinstance(d.app.screen, PinPrompt), "five are too few, and nothing was added to them"


async def test_a_prompt_that_comes_up_over_it_is_answered_and_never_taken_away(drive: Drive) -> None:
    begin = asyncio.Event()

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await begin.wait()
        walk.answers.append(await walk.operator.pin(PIN))
        return Outcome.passed("answered", SAID)

    async with drive(P_people=play) as d:
        await d.press("r")
        await opened(d, "text:note")
        palette = d.app.screen
        begin.set()
        await d.comes(PinPrompt)
        # A key that was on its way to the palette when the prompt came.
        palette.dismiss(None)
        await d.settle()
        assert isinstance(d.app.screen, PinPrompt)
        await d.heard()
        await d.press("text:123456", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"123456"]


async def test_what_was_chosen_is_not_done_behind_a_prompt(drive: Drive) -> None:
    begin = asyncio.Event()

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await begin.wait()
        walk.answers.append(await walk.operator.pin(PIN))
        return Outcome.passed("answered", SAID)

    async with drive(P_people=play) as d:
        await d.press("r")
        await opened(d, "text:go to b1")
        option = d.app.screen.query_one(CommandList).options[0]
        begin.set()
        await d.comes(PinPrompt)
        await option.hit.command()
        assert d.app.run_screen.shown == "P.people"
        assert isinstance(d.app.screen, PinPrompt)


async def test_foreign_text_is_shown_as_it_is() -> None:
    step = {"id": "A.odd", "title": "Look at [/foo] [bold red]this", "check": "slots", "token": "t"}
    stages = [{"id": "A", "title": "[/]", "steps": [step]}]
    session, _ = scripted_session(Runbook.model_validate({"runbook": 1, "id": "r", "title": "R", "stages": stages}), {})
    app = RunbookApp(session)
    async with app.run_test() as pilot:
        d = Driven(app, pilot, [], [])
        await d.settle()
        lines = await opened(d, "text:bold")
        assert named(lines, "Look at [/foo] [bold red]this")
        await d.until("Look at [/foo] [bold red]this")


async def test_it_opens_at_once_with_five_thousand_steps() -> None:
    stages = [
        {
            "id": f"S{s}",
            "title": "Stage",
            "steps": [{"id": f"S{s}.{n}", "title": f"Number {n}", "check": "slots", "token": "t"} for n in range(100)],
        }
        for s in range(50)
    ]
    session, _ = scripted_session(Runbook.model_validate({"runbook": 1, "id": "r", "title": "R", "stages": stages}), {})
    app = RunbookApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        d = Driven(app, pilot, [], [])
        await d.settle()
        began = perf_counter()
        await opened(d)
        assert perf_counter() - began < 5
        lines = await typed(d, "text:s49.99")
        assert lines[0].split()[:4] == ["go", "to", "○", "S49.99"]
        assert len(lines) <= 60


@both_sizes
async def test_the_palette(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await opened(d)
        picture(d, "open")
        await typed(d, "text:the")
        readable(d)
        picture(d, "narrowed")
