"""One answer for each of many, at the screen: the keys, a reason for a no, and what was said before."""

from __future__ import annotations

from runbook.ticking import Checklisted, Tick, Ticked
from tests.screens.conftest import Drive
from tests.screens.people_samples import AGAIN, CHECKLIST
from tests.screens.scripted import asks
from tests.screens.test_pictures import Picture, both_sizes, readable

YES, LATER = Ticked(Tick.YES), Ticked(Tick.NOT_YET)


async def test_each_item_has_its_own_answer(drive: Drive) -> None:
    async with drive(P_people=asks("checklist", CHECKLIST)) as d:
        await d.press("r", "y", "down", "w", "j", "space", "down", "n")
        assert "why not, for Dora Lind" in d.screen
        await d.press("text:saw another one", "enter", "down", "y")
        assert "3 yes, 1 not yet, 1 no of 5" in d.screen
        assert d.walk.answers == []
        await d.press("enter")
        assert d.walk.answers == [Checklisted((YES, LATER, YES, Ticked(Tick.NO, "saw another one"), YES))]


async def test_a_no_without_a_reason_is_none(drive: Drive) -> None:
    async with drive(P_people=asks("checklist", CHECKLIST)) as d:
        await d.press("r", "n", "enter")
        assert "A no has a reason." in d.screen
        assert "0 no of 5" not in d.screen
        await d.press("text:ill", "enter")
        assert "0 yes, 0 not yet, 1 no of 5; 4 without an answer" in d.screen


async def test_enter_goes_to_the_next_without_an_answer(drive: Drive) -> None:
    async with drive(P_people=asks("checklist", CHECKLIST)) as d:
        await d.press("r", "y", "enter", "y", "enter", "y", "enter", "y", "enter")
        assert d.walk.answers == [], "one is left"
        await d.press("y", "enter")
        assert d.walk.answers == [Checklisted((YES,) * 5)]


async def test_a_second_try_needs_only_what_has_changed(drive: Drive) -> None:
    async with drive(P_people=asks("checklist", AGAIN)) as d:
        await d.press("r")
        assert "on leave" in d.screen
        await d.press("down", "y", "enter")
        assert d.walk.answers == [Checklisted((YES, YES, Ticked(Tick.NO, "on leave")))]


async def test_leaving_it_answers_nothing(drive: Drive) -> None:
    async with drive(P_people=asks("checklist", CHECKLIST)) as d:
        await d.press("r", "y", "y", "escape")
        assert not any(isinstance(answer, Checklisted) for answer in d.walk.answers)


@both_sizes
async def test_the_prompt(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, P_people=asks("checklist", CHECKLIST)) as d:
        await d.press("r", "y", "down", "w", "down", "y", "down", "n", "text:on leave", "enter", "down")
        readable(d)
        picture(d, "checklist")
