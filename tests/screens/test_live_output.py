"""Live output of any length: it follows, goes back to the first line, is searched, and takes no memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from runbook.outcome import Outcome
from runbook.record import events as ev
from screens.outputs import HELD, LOST, PIECE_CHARS, Outputs, Spill
from tests.screens.conftest import Drive, Driven
from tests.screens.scripted import SAID, ScriptedWalk

STEP = "P.people"


def _resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Held:
    """A step that is held at work until it is let go."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, walk: ScriptedWalk, step: str) -> Outcome:
        await self.go_on.wait()
        return Outcome.passed("done", SAID)


async def _say(d: Driven, first: int, last: int, text: str = "line {}") -> None:
    for number in range(first, last):
        d.app.run_screen.take(ev.StepProgress(STEP, text.format(number)), "")
        if number % 5_000 == 0:
            await asyncio.sleep(0)
    await d.pilot.pause(0.1)


async def test_a_million_lines_take_no_memory_and_the_first_is_reached(drive: Drive) -> None:
    held = Held()
    async with drive((120, 40), P_people=held) as d:
        await d.press("r")
        await _say(d, 0, 100_000)
        before = _resident()
        await _say(d, 100_000, 1_000_000)
        grown = _resident() - before
        await d.until("line 999999")
        assert grown < 40_000_000, f"{grown} bytes for 900,000 lines"
        live = d.app.run_screen._live
        live.focus()
        await d.press("home")
        await d.until("line 0 ")
        await d.until("line 1 of 1,000,000, End follows")
        await d.press("end")
        await d.until("line 999999")
        assert len(await live.places("line 654321")) == 1
        live.reveal(654_321)
        await d.until("line 654321")
        held.go_on.set()
        await d.settle()


async def test_it_stays_where_one_looks_while_lines_come(drive: Drive) -> None:
    held = Held()
    async with drive((120, 40), P_people=held) as d:
        await d.press("r")
        await _say(d, 0, 200)
        d.app.run_screen._live.focus()
        await d.press("home")
        await _say(d, 200, 400)
        assert "line 0 " in d.screen
        assert "line 399" not in d.screen
        await d.press("G")
        await _say(d, 400, 500)
        await d.until("line 499")
        held.go_on.set()
        await d.settle()


async def test_the_end_of_a_long_line_is_reached(drive: Drive) -> None:
    held = Held()
    async with drive((120, 40), P_people=held) as d:
        await d.press("r")
        await _say(d, 0, 1, "x" * 150 + "the end of {}")
        await d.until("xxx…")
        assert "the end" not in d.screen
        d.app.run_screen._live.focus()
        await d.pilot.press(*["right"] * 20)
        await d.until("the end of 0")
        await d.pilot.press(*["left"] * 20)
        await d.until("xxx…")
        assert "the end" not in d.screen
        held.go_on.set()
        await d.settle()


async def test_a_line_of_a_megabyte_is_drawn_and_found(drive: Drive) -> None:
    held = Held()
    async with drive((80, 24), P_people=held) as d:
        await d.press("r")
        await _say(d, 0, 3, "{} " + "é" * 1_000_000 + " here")
        await d.until("2 éééé")
        assert await d.app.run_screen._live.places("here") == [0, 1, 2]
        held.go_on.set()
        await d.settle()


async def test_every_line_comes_back_as_it_was_said() -> None:
    lines = Outputs()
    said = [f"{number}: ✓ 日本 ␛[31m" if number % 3 else "" for number in range(5 * HELD)]
    for number, line in enumerate(said):
        lines.add(f"S{number % 2}", line)
        if number % 1_000 == 0:
            await asyncio.sleep(0)
    await lines.settled()
    for step in (0, 1):
        output = lines.of(f"S{step}")
        assert output is not None
        assert list(output.every()()) == said[step::2]
        for number in (0, 1, 511, 512, 2_000, len(output) - 1):
            await output.read(number)
            assert output.line(number) == said[step::2][number]
    assert sum(output.held for output in lines._of.values()) <= HELD


async def test_a_full_disk_costs_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spill, "append", full)
    lines = Outputs()
    lines.add("S", "x" * 2 * PIECE_CHARS)
    for number in range(3 * HELD):
        lines.add("S", f"line {number}")
    await lines.settled()
    output = lines.of("S")
    assert output is not None
    for number in (0, 1, 2):
        await output.read(number)
        assert output.line(number) == LOST
    assert output.line(len(output) - 1) == f"line {3 * HELD - 1}"


async def test_another_attempt_begins_with_nothing() -> None:
    lines = Outputs()
    lines.add("S", "before")
    lines.restart("S")
    assert lines.of("S") is None
    lines.add("S", "after")
    assert [*lines._of["S"].every()()] == ["after"]
    assert (lines._held, lines._chars) == (1, 5)
