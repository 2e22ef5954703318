"""The point of no return: what it shows, and that nobody gets past it by accident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.events import Key, MouseDown

from runbook.probing import Answer as Probe
from runbook.record import events as ev
from screens.prompts.phrase_entry import PhraseEntry
from tests.screens.conftest import Drive, Driven
from tests.screens.gate_samples import COMMANDS, NO_RETURN
from tests.screens.scripted import asks

PHRASE = NO_RETURN.phrase
SHORT = replace(NO_RETURN, phrase="WIPE", question="")
ASKED = asks("point_of_no_return", NO_RETURN)


def rows(d: Driven) -> list[str]:
    """What the terminal shows, without the frame."""
    return [line.replace("┃", " ").strip() for line in d.screen.splitlines()]


async def page_through(d: Driven) -> str:
    """Everything that the page shows, at any place of it."""
    shown = [d.screen]
    for _ in range(8):
        await d.press("pagedown")
        shown.append(d.screen)
    return "\n".join(shown)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_everything_that_must_be_known_can_be_read(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size, P_people=ASKED) as d:
        await d.press("r")
        assert "▲ POINT OF NO RETURN" in d.screen
        shown = " ".join((await page_through(d)).replace("┃", " ").replace("▌", " ").split())
        for part in (
            *COMMANDS,
            "✓ holds stages A, B, C",
            "✗ does not hold the export stick",
            "○ not done the volume holds 41 files",
            "1 Restore the snapshot taken in G2",
            "2 Bring the previous stack up",
        ):
            assert " ".join(part.split()) in shown, part
        assert "▲ POINT OF NO RETURN" in d.screen, "the banner never scrolls away"
        assert "Leave it, nothing is done" in d.screen, "nor does the way out"


async def test_where_the_page_goes_on_is_said(drive: Drive) -> None:
    async with drive((80, 24), P_people=ASKED) as d:
        await d.press("r")
        assert "▼ there is more: PgDn" in d.screen
        await page_through(d)
        assert "▼" not in d.screen
        await d.press("pageup")
        assert "▼ there is more: PgDn" in d.screen


async def test_the_safe_choice_has_the_focus(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r")
        assert d.app.focused is not None
        assert d.app.focused.id == "answer-no"
        await d.press("enter")
        assert d.walk.answers == [False]


async def test_letters_typed_before_the_field_was_entered_go_nowhere(drive: Drive) -> None:
    async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
        await d.press("r", "text:WIPE")
        assert d.app.screen.query_one(PhraseEntry).typed == ""
        await d.press("enter")
        assert d.walk.answers == [False]


async def test_the_phrase_and_a_yes_open_the_way(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "shift+tab", f"text:{PHRASE}", "enter")
        assert d.walk.answers == []
        assert d.app.focused is not None
        assert d.app.focused.id == "answer-no", "after the phrase the safe answer has the focus again"
        await d.press("right", "enter")
        assert d.walk.answers == [True]


async def test_yes_cannot_be_said_without_the_phrase(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r")
        assert d.app.screen.query_one("#answer-yes").disabled
        await d.press("shift+tab", f"text:{PHRASE}")
        assert not d.app.screen.query_one("#answer-yes").disabled
        await d.press("backspace")
        assert d.app.screen.query_one("#answer-yes").disabled, "and no longer once it is not the phrase"
        assert d.walk.answers == []


async def test_without_a_question_the_phrase_is_the_yes(drive: Drive) -> None:
    async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
        await d.press("r", "shift+tab", "text:wipe", "enter")
        assert d.walk.answers == []
        await d.press("ctrl+u", "text:WIPE", "enter")
        assert d.walk.answers == [True]


async def test_without_a_phrase_the_question_is_answered(drive: Drive) -> None:
    async with drive(P_people=asks("point_of_no_return", replace(NO_RETURN, phrase=""))) as d:
        await d.press("r", "y", "right", "enter")
        assert d.walk.answers == [True]


async def test_escape_leaves_it_undone(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "shift+tab", f"text:{PHRASE}", "escape")
        assert d.walk.answers == []
        finished = [event for event in d.walk.seen if isinstance(event, ev.StepFinished)]
        assert [event.outcome.symptom for event in finished] == ["cancelled"]


async def test_what_differs_is_marked_by_its_place(drive: Drive) -> None:
    async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
        await d.press("r", "shift+tab", "text:WiPE!")
        assert "character 2 differs: `i` is typed, `I` stands there" in d.screen
        entry = [line.plain for line in d.app.screen.query_one(PhraseEntry).lines(40)]
        assert entry == ["WIPE  ", "WiPE!_", " ^  ^"]
        await d.press("enter")
        assert "That is not the phrase yet: character 2 differs" in d.screen


async def test_a_long_phrase_is_folded_with_its_marks() -> None:
    entry = PhraseEntry("ab漢cd")
    entry.typed = "ab漢cX"
    assert [line.plain for line in entry.lines(4)] == ["ab漢", "ab漢", "", "cd ", "cX_", " ^"]
    assert all(line.cell_length <= 4 for line in entry.lines(4))


class TestPaste:
    """However a terminal pastes, the phrase is typed by fingers or not at all."""

    async def ready(self, d: Driven) -> PhraseEntry:
        await d.press("r", "shift+tab")
        return d.app.screen.query_one(PhraseEntry)

    async def burst(self, d: Driven, text: str, *, enter: bool = False, apart: float = 0.0005) -> None:
        """Keys as a terminal without bracketed paste sends a paste: one after the other, at once."""
        keys = [Key("space" if char == " " else char, char) for char in text]
        keys += [Key("enter", "\r")] if enter else []
        for number, key in enumerate(keys):
            key.time = keys[0].time + number * apart
            d.app.post_message(key)
        await d.settle()

    async def test_a_paste_is_refused_and_said_so(self, drive: Drive) -> None:
        async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
            entry = await self.ready(d)
            await d.paste("WIPE")
            assert entry.typed == ""
            assert "Nothing can be pasted here" in d.screen

    async def test_a_paste_that_comes_as_keys_is_taken_back(self, drive: Drive) -> None:
        async with drive(P_people=ASKED) as d:
            entry = await self.ready(d)
            await d.press("text:WI")
            await self.burst(d, PHRASE[2:], enter=True)
            assert entry.typed == "WI", "what was typed before stays"
            assert "press it by itself" in d.screen
            assert d.walk.answers == []

    async def test_a_short_paste_with_its_line_end_submits_nothing(self, drive: Drive) -> None:
        request = replace(SHORT, phrase="GO!")
        async with drive(P_people=asks("point_of_no_return", request)) as d:
            await self.ready(d)
            await self.burst(d, "GO!", enter=True)
            assert d.walk.answers == []
            assert "press it by itself" in d.screen
            await d.press("enter")
            assert d.walk.answers == [True]

    async def test_letters_that_a_slow_line_delivers_together_are_taken(self, drive: Drive) -> None:
        async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
            entry = await self.ready(d)
            await self.burst(d, "WI")
            await self.burst(d, "PE")
            assert entry.typed == "WIPE"

    async def test_fast_fingers_are_taken(self, drive: Drive) -> None:
        async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
            entry = await self.ready(d)
            await self.burst(d, "WIPE", apart=0.02)
            assert entry.typed == "WIPE"

    async def test_one_key_with_several_characters_is_refused(self, drive: Drive) -> None:
        async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
            entry = await self.ready(d)
            d.app.post_message(Key("w", "WIPE"))
            await d.settle()
            assert entry.typed == ""
            assert "Too many letters came at once" in d.screen

    async def test_the_middle_button_says_that_it_pastes_nothing(self, drive: Drive) -> None:
        async with drive(P_people=asks("point_of_no_return", SHORT)) as d:
            entry = await self.ready(d)
            x, y = entry.content_region.offset
            entry.post_message(MouseDown(entry, x, y, 0, 0, 2, False, False, False))
            await d.settle()
            assert "Nothing can be pasted here" in d.screen


async def test_without_probe_or_way_back_it_is_said(drive: Drive) -> None:
    request = replace(NO_RETURN, probed=None, backout=(), conditions=())
    async with drive((120, 40), P_people=asks("point_of_no_return", request)) as d:
        await d.press("r")
        assert "this step has no probe" in d.screen
        assert "no way back" in d.screen


async def test_an_action_that_seems_done_is_pointed_out(drive: Drive) -> None:
    assert NO_RETURN.probed is not None
    request = replace(NO_RETURN, probed=replace(NO_RETURN.probed, answer=Probe.DONE))
    async with drive((120, 40), P_people=asks("point_of_no_return", request)) as d:
        await d.press("r")
        assert "✓ done" in d.screen
        assert "`not done` is what it should say" in d.screen


async def test_nobody_can_go_on_once_the_question_is_withdrawn(drive: Drive) -> None:
    async with drive(P_people=ASKED) as d:
        await d.press("r", "shift+tab", f"text:{PHRASE}")
        d.walk.stop("the window closed")
        await d.settle()
        assert d.app.screen is d.app.run_screen
        assert d.walk.answers == []
