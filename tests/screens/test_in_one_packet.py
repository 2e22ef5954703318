"""A slow line delivers several keys at once: each goes where the one before it led, and none where it was not meant."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.widgets import Input

from runbook.operator import ConfirmRequest
from screens.app import RunbookApp
from screens.help_screen import HelpScreen
from screens.prompts.confirm import ConfirmPrompt
from tests.screens.conftest import Drive, Driven

NAMES = {"/": "slash", ":": "colon", "?": "question_mark", "\r": "enter", " ": "space"}


async def packet(d: Driven, text: str) -> None:
    """All of these keys before the program gets to the first of them."""
    for char in text:
        d.app.post_message(events.Key(NAMES.get(char, char), char))
    await d.settle()


def typed(app: RunbookApp) -> str:
    return app.screen.query_one(Input).value


@pytest.mark.parametrize("before", ["", "before"])
async def test_what_is_sought_starts_no_step(drive: Drive, before: str) -> None:
    """`r` runs the step at hand, `s` skips it, `q` leaves."""
    async with drive() as d:
        if before:
            await d.press("slash", f"text:{before}", "escape")
        await packet(d, "/rsq")
        assert typed(d.app) == "rsq"
        assert d.app.screen is d.app.run_screen
        assert not d.walk.decided


@pytest.mark.parametrize("key", [":", "n", "s"])
async def test_the_line_that_a_key_opens_gets_the_rest(drive: Drive, key: str) -> None:
    async with drive() as d:
        await packet(d, f"{key}rqy")
        assert typed(d.app) == "rqy"
        assert len(d.app.screen_stack) == 2, "one screen over the run's"
        assert not d.walk.decided


async def test_the_help_is_searched(drive: Drive) -> None:
    async with drive() as d:
        await packet(d, "?/retry")
        assert isinstance(d.app.screen, HelpScreen)
        assert typed(d.app) == "retry"


async def test_a_search_that_is_over_in_the_same_packet(drive: Drive) -> None:
    async with drive() as d:
        await packet(d, "/sign")
        await packet(d, "\r")
        assert d.app.run_screen.shown == "A3.sign"


async def test_a_key_on_its_way_is_no_answer_to_what_comes_up(drive: Drive) -> None:
    """Escape was pressed where it ends a search; on the prompt that comes up meanwhile it would be a "no"."""
    async with drive() as d:
        prompt = ConfirmPrompt(ConfirmRequest("Go on?"))
        d.app.post_message(events.Key("escape", None))
        asked = asyncio.create_task(d.app.ask(prompt))
        await d.comes(ConfirmPrompt)
        await d.settle()
        assert not asked.done()
        (told,) = (notice.message for notice in d.app._notifications)
        assert "as this came up were dropped" in told
        await d.heard()
        await d.press("right", "enter")
        assert await asked is True
