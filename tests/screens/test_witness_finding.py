"""A witness finds their way as the driver does: search, commands, help; nothing of it decides anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.command import CommandList

from runbook.outcome import Outcome
from runbook.people import following
from runbook.record import events as ev
from screens.help_screen import HelpScreen
from screens.palette.palette import Palette
from tests.screens.samples import EVIDENCE
from tests.screens.witnessed import Witnessed, witnessed

GREEN = (
    ev.StepStarted("P.people", 1, "attest", {}),
    ev.StepFinished("P.people", 1, Outcome.passed("all is so", *EVIDENCE["statements"])),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK", 0.05)


async def listed(d: Witnessed, *keys: str) -> list[str]:
    """The commands once the palette is open and these keys were pressed."""
    await d.press("colon", *keys)
    async with asyncio.timeout(60):
        while not (isinstance(d.app.screen, Palette) and d.app.screen.query(CommandList)):
            await d.pilot.pause(0.01)
        while any(worker.node is d.app.screen and not worker.is_finished for worker in d.app.workers):
            await d.pilot.pause(0.01)
    return [str(option.prompt) for option in d.app.screen.query_one(CommandList).options]


async def test_what_was_found_is_sought(tmp_path: Path) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.until("◉ live")
        await d.press("slash", "text:all is so")
        await d.until("1 of 1 steps")
        assert d.app.watched.shown == "P.people"
        await d.press("escape", "slash", "text:b1", "enter")
        assert d.app.watched.shown == "B1.paper"


async def test_the_palette_offers_no_decision(tmp_path: Path) -> None:
    async with witnessed(tmp_path, (120, 40), *GREEN) as d:
        await d.until("◉ live")
        lines = await listed(d)
        assert any("B1.paper" in line for line in lines)
        assert any("write a note" in line for line in lines)
        for decision in ("run the step", "run on by itself", "skip the step", "try a step"):
            assert not any(decision in line for line in lines), decision
        await d.press("text:b1.paper", "enter")
        await d.settle()
        assert d.app.watched.shown == "B1.paper"


async def test_the_help_is_that_of_a_witness(tmp_path: Path) -> None:
    async with witnessed(tmp_path, (120, 40), *GREEN) as d:
        await d.until("◉ live")
        await d.press("question_mark", "slash", "text:witness")
        assert isinstance(d.app.screen, HelpScreen)
        await d.until("as its witness")
        await d.until("answer what you are asked")
        await d.press("escape", "slash", "text:kept as a deviation")
        await d.until("A reason")
        assert "skip the step" not in d.screen
