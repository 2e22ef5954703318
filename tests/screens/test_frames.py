"""What a frame costs: nothing is mounted, drawn or laid out that need not be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widget import Widget

from screens import lines
from screens.lines import Lines
from screens.widgets.step_detail import StepDetail, StepFacts, StepParams
from screens.widgets.step_head import StepHead
from screens.widgets.step_list import StepList
from tests.screens.conftest import Drive


async def test_a_page_shows_another_step_in_the_widgets_that_are_there(drive: Drive) -> None:
    async with drive((120, 40)) as driven:
        page = driven.app.run_screen.query_one(StepDetail)
        before = {kind: page.query_one(kind) for kind in (StepHead, StepFacts, StepParams)}
        await driven.press("j")
        assert {kind: page.query_one(kind) for kind in before} == before
        assert "P.tree  The working tree is clean" in driven.screen
        assert "folder" in driven.screen
        assert "The chassis of input-b is closed" not in driven.screen


async def test_parts_of_another_kind_are_mounted_in_their_order(drive: Drive) -> None:
    async with drive((120, 40)) as driven:
        await driven.press("r")
        await driven.press("home")
        page = driven.app.run_screen.query_one(StepDetail)
        kinds = [type(child).__name__ for child in page.children]
        assert kinds[:2] == ["StepHead", "StepOutcome"]
        assert kinds[-1] == "StepFacts"
        await driven.press("end")
        assert [type(child).__name__ for child in page.children][:2] == ["StepHead", "StepFacts"]


async def test_a_page_that_is_made_anew_when_the_end_has_begun(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the terminal goes away in that moment: nobody is told of a defect."""
    async with drive((120, 40)) as driven:
        page = driven.app.run_screen.query_one(StepDetail)
        await page.remove_children(StepHead)

        async def meanwhile(_: list[Widget]) -> None:
            driven.app.exit()
            tried.set()

        tried = asyncio.Event()
        monkeypatch.setattr(page, "remove_children", meanwhile)
        page.refresh(recompose=True)
        await asyncio.wait_for(tried.wait(), 30)
    assert driven.app.return_code == 0


async def test_cursor_and_page_come_in_one_frame(drive: Drive) -> None:
    async with drive((120, 40)) as driven:
        steps = driven.app.run_screen.query_one(StepList)
        driven.app.run_screen.query_one(StepList).action_move(1)
        head = driven.app.run_screen.query_one(StepHead)
        assert steps.cursor in "\n".join(line.plain for line in head.lines(60)), "before anything else is handled"


class _Numbers(Lines):
    def lines(self, width: int) -> Iterator[Content]:
        for number in range(300):
            yield Content.assemble((f"{number}", "bold"), " ", ("x" * (number % width), "italic red"))


class _Page(App[None]):
    def compose(self) -> ComposeResult:
        yield _Numbers()


async def test_lines_drawn_one_by_one_are_those_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _Page().run_test(size=(60, 20)) as pilot:
        page = pilot.app.query_one(_Numbers)
        single = [page.render_line(y) for y in range(20)]
        monkeypatch.setattr(lines, "LONG", 1000)
        page.refresh()
        together = [page.render_line(y) for y in range(20)]
        assert [list(strip) for strip in single] == [list(strip) for strip in together]
