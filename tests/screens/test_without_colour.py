"""Every state can be told without colour: by its sign and its word, in grey and where no colour is written at all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations

import pytest
from rich.color_triplet import ColorTriplet
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from runbook.errors import ExitCode
from runbook.preferences import Preferences, ThemeName
from runbook.probing import Answer
from runbook.record.state import Status
from screens.app import RunbookApp
from screens.prompts.attest import AttestPrompt
from screens.words import ANSWERS, LOOKS, badge, probe_badge, verdict
from tests.screens.conftest import Svg
from tests.screens.contrast import luminance
from tests.screens.every_state import HISTORY, every_state, until_still
from tests.screens.samples import ATTEST


def _grey(found: re.Match[str]) -> str:
    """The grey of the same luminance (WCAG 2.2, `relative luminance`, and sRGB's way back)."""
    level = luminance(ColorTriplet(*bytes.fromhex(found[1])))
    light = round(255 * (12.92 * level if level <= 0.0031308 else 1.055 * level ** (1 / 2.4) - 0.055))
    return f"#{light:02x}{light:02x}{light:02x}"


@asynccontextmanager
async def every_state_shown(preferences: Preferences) -> AsyncIterator[Pilot[ExitCode]]:
    """The run screen, a step in each state in its list."""
    app = RunbookApp(every_state(), preferences)
    async with app.run_test(size=(120, 40)) as pilot:
        await until_still(pilot)
        app.run_screen.state = HISTORY
        app.run_screen.show()
        await until_still(pilot)
        yield pilot


def lines(pilot: Pilot[ExitCode]) -> list[str]:
    strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


def test_signs_and_words_differ_pairwise() -> None:
    assert set(LOOKS) == set(Status)
    assert set(ANSWERS) == set(Answer)
    for badges in ([badge(status) for status in Status], [probe_badge(answer) for answer in Answer]):
        for one, other in combinations(badges, 2):
            sign, _, word = one.plain.partition(" ")
            other_sign, _, other_word = other.plain.partition(" ")
            assert sign != other_sign
            assert word
            assert word != other_word
    assert verdict(True, "same", "different").plain[0] != verdict(False, "same", "different").plain[0]


@pytest.mark.parametrize("theme", [ThemeName.DARK, ThemeName.LIGHT])
async def test_every_state_in_grey(theme: ThemeName, snapshot: SnapshotAssertion) -> None:
    async with every_state_shown(Preferences(theme)) as pilot:
        grey = re.sub(r"#([0-9a-fA-F]{6})\b", _grey, pilot.app.export_screenshot(simplify=True))
        assert grey == snapshot(extension_class=Svg)


async def test_every_state_without_colour(snapshot: SnapshotAssertion) -> None:
    async with every_state_shown(Preferences(colour=False)) as pilot:
        strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
        styles = [segment.style for strip in strips for segment in strip if segment.style is not None]
        assert all(style.color is None or style.color.is_default for style in styles)
        assert all(style.bgcolor is None or style.bgcolor.is_default for style in styles)
        for number, status in enumerate(Status):
            row = next(line for line in lines(pilot) if f"A{number} " in line[:8])[:46]
            assert LOOKS[status].sign in row
            assert row.rstrip("│▕ ").endswith(status.value)
        assert pilot.app.export_screenshot(simplify=True) == snapshot(extension_class=Svg)


async def test_the_line_of_the_cursor_is_marked_without_colour() -> None:
    async with every_state_shown(Preferences(colour=False)) as pilot:
        for _ in range(3):
            await pilot.press("down")
        marked = [line for line in lines(pilot) if re.match(r"▌.[› ]A\d", line)]
        assert len(marked) == 1
        assert "A3" in marked[0]
        strips = pilot.app.screen._compositor.render_strips(pilot.app.size)
        reversed_ = [strip.text for strip in strips if any(s.style is not None and s.style.reverse for s in strip)]
        assert marked[0] in reversed_


async def test_an_answer_that_cannot_be_given_yet_is_told_without_colour() -> None:
    async with every_state_shown(Preferences(colour=False)) as pilot:
        await pilot.app.push_screen(AttestPrompt(ATTEST))
        await pilot.pause()
        assert any("( Submit )" in line for line in lines(pilot))
        await pilot.press("y", "down", "y", "down", "y")
        assert not any("( Submit )" in line for line in lines(pilot))
        assert any("  Submit  " in line for line in lines(pilot))
