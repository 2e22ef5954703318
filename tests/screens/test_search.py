"""Search in steps, in the page and in the output."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import pytest

from runbook.model import Runbook
from runbook.outcome import Outcome
from screens.app import RunbookApp
from screens.search.bar import SearchBar
from screens.widgets.live_output import LiveOutput
from screens.widgets.step_detail import StepDetail
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import EVIDENCE, PIN
from tests.screens.scripted import SAID, asks, ends
from tests.screens.scripted import session as scripted_session
from tests.screens.test_pictures import both_sizes, readable

Picture = Callable[[Driven, str], None]


def bar(d: Driven) -> SearchBar:
    return d.app.run_screen.query_one(SearchBar)


def bottom(d: Driven) -> str:
    return d.screen.splitlines()[-1]


def marked(d: Driven, reverse: bool = False) -> list[str]:
    """What is marked on the screen, in reverse or underlined."""
    found: list[str] = []
    for strip in d.app.screen._compositor.render_strips(d.app.size)[:-1]:
        for segment in strip:
            style = segment.style
            if style is not None and style.bold and (style.reverse if reverse else style.underline):
                found.append(segment.text)
    return found


async def test_it_goes_to_the_first_step_while_one_types(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:sig")
        assert d.app.run_screen.shown == "A3.sign"
        assert "1 of 1 steps" in bottom(d)
        assert "sig" in marked(d, reverse=True), "in the list"
        assert marked(d).count("sig") >= 2, "and on the page"


async def test_escape_goes_back(drive: Drive) -> None:
    async with drive() as d:
        await d.press("down", "slash", "text:paper")
        assert d.app.run_screen.shown != "P.tree"
        await d.press("escape")
        assert d.app.run_screen.shown == "P.tree"
        assert not marked(d)
        assert "paper" not in bottom(d)
        await d.press("down")
        assert d.app.run_screen.shown == "A1.slots", "the list has the focus again"


async def test_escape_goes_back_to_following(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:paper", "escape", "r")
        assert d.app.run_screen.shown == "P.tree", "it still stays with the step at hand"


async def test_enter_stays_and_brackets_go_round(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:check", "enter")
        assert d.app.run_screen.shown == "P.tree"
        assert "1 of 4 steps" in bottom(d)
        shown = []
        for key in ("right_square_bracket", "right_square_bracket", "right_square_bracket", "right_square_bracket"):
            await d.press(key)
            shown.append(d.app.run_screen.shown)
        assert shown == ["A1.slots", "A3.sign", "B1.paper", "P.tree"]
        await d.press("left_square_bracket")
        assert d.app.run_screen.shown == "B1.paper"
        assert "4 of 4 steps" in bottom(d)
        await d.press("escape")
        assert "steps" not in bottom(d)
        assert not marked(d)
        await d.press("right_square_bracket")
        assert d.app.run_screen.shown == "B1.paper", "nothing is sought any more"


async def test_arrows_go_on_while_one_types(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:check", "down", "ctrl+n")
        assert d.app.run_screen.shown == "A3.sign"
        await d.press("up", "ctrl+p", "up")
        assert d.app.run_screen.shown == "B1.paper"


async def test_what_is_typed_is_never_a_command(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:rcsqn?:]")
        assert d.app.screen is d.app.run_screen
        assert not d.walk.decided
        assert "not found" in bottom(d)
        await d.press("enter")
        assert not bar(d).display, "there is nothing to stay at"
        assert not d.walk.decided


async def test_what_the_run_says_is_found(drive: Drive) -> None:
    async with drive(A1_slots=ends(Outcome.failed("quite another token", EVIDENCE["slots"][1]))) as d:
        await d.press("c", "home", "slash", "text:quite another", "enter")
        assert d.app.run_screen.shown == "A1.slots"
        await d.press("slash", "text:failed")
        assert d.app.run_screen.shown == "A1.slots"


async def test_what_was_sought_last_is_there_again(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:paper", "enter", "slash", "enter")
        assert bottom(d).strip().startswith("/ paper")


async def test_in_the_page(drive: Drive) -> None:
    async with drive(P_people=ends(Outcome.failed("the token is not ours", *EVIDENCE["objects"]))) as d:
        await d.press("r", "tab")
        page = d.app.run_screen.query_one(StepDetail)
        assert d.app.focused is page
        await d.press("slash", "text:p, preconditions")
        assert "1 of 1 places" in bottom(d)
        assert page.scroll_y > 0, "it is scrolled into sight"
        assert "P, Preconditions" in marked(d, reverse=True)
        await d.press("escape")
        assert page.scroll_y == 0
        assert d.app.focused is page


async def test_in_the_page_brackets_go_from_place_to_place(drive: Drive) -> None:
    async with drive() as d:
        await d.press("tab", "slash", "text:the", "enter")
        counted = int(bottom(d).split(" of ")[1].split()[0])
        assert counted > 2
        seen = []
        for _ in range(counted):
            seen.append(bottom(d).split(" of ")[0].split()[-1])
            await d.press("right_square_bracket")
        assert seen == [str(number + 1) for number in range(counted)]
        assert "1 of " in bottom(d)


async def test_marks_stay_on_a_page_that_is_made_anew(drive: Drive) -> None:
    async with drive() as d:
        await d.press("tab", "slash", "text:chassis", "enter")
        assert "chassis" in [*marked(d), *marked(d, reverse=True)]
        await d.press("n", "text:a note", "enter")
        await d.press("r")
        await d.press("shift+tab", "home")
        await d.settle()
        assert d.app.run_screen.shown == "P.people"
        assert "chassis" in "".join(marked(d)), "the page was drawn for another state of the step"


async def test_in_the_output(drive: Drive) -> None:
    lines = [f"line {number}" for number in range(300)]
    async with drive(P_people=ends(Outcome.failed("not so", SAID), *lines)) as d:
        await d.press("r", "o")
        await d.until("line 299")
        live = d.app.run_screen.query_one(LiveOutput)
        live.focus()
        await d.press("slash", "text:line 12")
        await d.until("lines")
        assert "of 11 lines" in bottom(d)
        await d.press("enter")
        await d.until("line 12")
        assert "1 of 11 lines" in bottom(d)
        for _ in range(3):
            await d.press("right_square_bracket")
        await d.until("line 122")
        assert "4 of 11 lines" in bottom(d)
        assert "line 12" in marked(d, reverse=True)
        await d.press("slash", "escape")
        assert d.app.focused is live


async def test_a_prompt_over_a_search_leaves_it_as_it_is(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("slash", "text:paper", "enter", "r")
        assert d.app.screen is not d.app.run_screen
        await d.press("text:1]/56", "right_square_bracket", "enter")
        assert bar(d).active
        assert [answer.reveal() for answer in d.walk.answers] == [b"1]/56]"]


async def test_escape_pauses_before_it_ends_a_search(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:paper", "enter")
        d.app.run_screen.continuing = True
        await d.press("escape")
        assert not d.app.run_screen.continuing
        assert bar(d).active
        await d.press("escape")
        assert not bar(d).active


async def test_foreign_text_is_sought_as_it_stands(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:[/foo] [bold]")
        assert "not found" in bottom(d)
        assert "[/foo] [bold]" in bottom(d)


async def test_a_key_press_costs_no_more_with_thousands_of_steps() -> None:
    """From the key to the marks; compared with few steps, for other things go on on the machine."""
    few, many = [await typing(stages) for stages in (1, 50)]
    assert many < 2 * few + 0.03, (few, many)


async def typing(count: int) -> float:
    """Seconds that a key takes at the median, in a runbook with so many stages of a hundred steps."""
    stages = [
        {
            "id": f"S{s}",
            "title": f"Stage {s}",
            "steps": [
                {"id": f"S{s}.{n}", "title": f"Look at the token number {n}", "goal": "It is ours.", "check": "slots"}
                for n in range(100)
            ],
        }
        for s in range(count)
    ]
    session, _ = scripted_session(Runbook.model_validate({"runbook": 1, "id": "r", "title": "R", "stages": stages}), {})
    app = RunbookApp(session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        took = []
        for key in ("n", "u", "m", "b", "e", "r", "space", "7", "7"):
            began = perf_counter()
            await pilot.press(key)
            took.append(perf_counter() - began)
        await pilot.pause()
        assert app.run_screen.shown == "S0.77"
    return sorted(took)[len(took) // 2]


@both_sizes
async def test_a_search(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("slash", "text:paper")
        readable(d)
        picture(d, "typing")
        await d.press("enter")
        readable(d)
        picture(d, "kept")


@pytest.mark.parametrize("key", ["slash", "right_square_bracket"])
async def test_nothing_is_sought_under_a_prompt(drive: Drive, key: str) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", key)
        assert not d.app.run_screen.query(SearchBar)
