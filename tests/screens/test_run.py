"""The run screen: decisions, the guard on quitting, notes, sizes."""

from __future__ import annotations

import asyncio

import pytest

from runbook.errors import ExitCode, JournalError
from runbook.event import Event
from runbook.operator import ConfirmRequest
from runbook.outcome import Outcome, Verdict
from runbook.record import events as ev
from runbook.record.state import Status
from screens.prompts.quit import QuitPrompt
from screens.too_small import TooSmall
from screens.widgets.key_bar import KeyBar
from screens.widgets.step_parts import StepParams
from screens.words import LOOKS
from tests.screens.conftest import Drive
from tests.screens.samples import EVIDENCE, PAPER, PIN
from tests.screens.scripted import SAID, Play, ScriptedWalk, asks, ends

RED = ends(Outcome.failed("another token", EVIDENCE["slots"][1]))


def of(walk: ScriptedWalk, kind: type[Event]) -> list[Event]:
    return [event for event in walk.seen if isinstance(event, kind)]


async def test_run_does_one_step_and_waits(drive: Drive) -> None:
    async with drive() as d:
        await d.press("r")
        assert [event.step for event in of(d.walk, ev.StepFinished)] == ["P.people"]
        assert "your turn" in d.screen
        assert "P.tree" in d.screen.splitlines()[-2]


async def test_enter_runs_too(drive: Drive) -> None:
    async with drive() as d:
        await d.press("enter")
        assert len(of(d.walk, ev.StepFinished)) == 1


async def test_continue_goes_to_the_end_and_the_exit_code_is_green(drive: Drive) -> None:
    async with drive() as d:
        await d.press("c")
        assert len(of(d.walk, ev.StepFinished)) == 5
        assert "The run is over, green" in d.screen
        assert d.walk.head in d.screen
        await d.press("q")
        assert d.app.return_value is ExitCode.GREEN


async def test_continue_stops_at_a_step_that_is_not_green(drive: Drive) -> None:
    async with drive(A1_slots=RED) as d:
        await d.press("c")
        async with asyncio.timeout(30):
            while (moment := d.app.run_screen.moment) is None or moment.step_id != "A1.slots":
                await d.pilot.pause(0.01)
        assert not d.app.run_screen.continuing
        assert not d.app.run_screen.continuing
        assert "another token" in d.screen
        assert "it is another token" in d.screen, "the hint"


async def test_a_run_that_continues_goes_on_after_a_prompt(drive: Drive) -> None:
    async with drive(A3_sign=asks("pin", PIN)) as d:
        await d.press("c", "text:123456", "enter")
        assert "The run is over, green" in d.screen


async def test_a_prompt_that_is_left_stops_a_run_that_continues(drive: Drive) -> None:
    async with drive(A3_sign=asks("pin", PIN)) as d:
        await d.press("c", "escape")
        assert d.app.run_screen.moment is not None
        assert d.app.run_screen.moment.step_id == "A3.sign"
        assert not d.app.run_screen.continuing


async def test_escape_pauses_a_run_that_continues(drive: Drive) -> None:
    async def slow(walk: ScriptedWalk, step: str) -> Outcome:
        await d.pilot.press("escape")
        return Outcome.passed("done", SAID)

    async with drive(P_tree=slow) as d:
        await d.press("c")
        assert d.app.run_screen.moment is not None
        assert d.app.run_screen.moment.step_id == "A1.slots"


async def test_retry_runs_the_step_again(drive: Drive) -> None:
    outcomes = [Outcome.failed("not yet"), Outcome.passed("now it is", SAID)]

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        return outcomes.pop(0)

    async with drive(P_people=play) as d:
        await d.press("r", "t")
        assert [event.outcome.verdict for event in of(d.walk, ev.StepFinished)] == [Verdict.FAILED, Verdict.PASSED]


async def test_keys_that_are_not_allowed_do_nothing(drive: Drive) -> None:
    async with drive(P_people=RED) as d:
        await d.press("t")
        assert not of(d.walk, ev.StepRetried), "nothing to try again before the first try"
        await d.press("r", "r", "c", "enter")
        assert len(of(d.walk, ev.StepStarted)) == 1, "a red step is only ever retried on purpose"


async def test_skip_asks_for_a_reason_and_takes_none_without(drive: Drive) -> None:
    async with drive() as d:
        await d.press("s", "enter")
        assert not of(d.walk, ev.StepSkipped)
        assert "Something must be written" in d.screen
        await d.press("text:the sheet came late", "enter")
        assert [(event.step, event.reason) for event in of(d.walk, ev.StepSkipped)] == [
            ("P.people", "the sheet came late")
        ]


async def test_a_skip_that_is_left_skips_nothing(drive: Drive) -> None:
    async with drive() as d:
        await d.press("s", "text:no", "escape")
        assert not of(d.walk, ev.StepSkipped)
        assert d.app.run_screen.moment is not None


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_asks_and_going_on_has_the_focus(drive: Drive, key: str) -> None:
    async with drive() as d:
        await d.press(key)
        assert isinstance(d.app.screen, QuitPrompt)
        assert d.app.focused is not None
        assert d.app.focused.id == "answer-stay"
        await d.press("enter")
        assert not d.app.run_screen.state.finished
        await d.press(key, "right", "enter")
        assert d.app.run_screen.state.finished == "stopped"
        assert "The run is over, stopped at P.people" in d.screen
        await d.press("q")
        assert d.app.return_value is ExitCode.STOPPED


async def test_stopping_takes_the_prompt_away(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", "text:1234", "ctrl+q", "right", "enter")
        assert d.app.screen is d.app.run_screen
        assert d.app.run_screen.state.finished == "stopped"
        assert d.walk.answers == []


async def test_a_question_that_is_withdrawn_goes_away(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", "question_mark")
        d.walk.stop("its time is over")
        await d.settle()
        assert d.app.screen is d.app.run_screen


async def test_a_note_is_recorded(drive: Drive) -> None:
    async with drive() as d:
        await d.press("n", "text:the LED is green", "enter")
        assert [event.text for event in of(d.walk, ev.NoteAdded)] == ["the LED is green"]


async def test_the_list_follows_until_it_is_moved_and_again_when_asked(drive: Drive) -> None:
    async with drive() as d:
        await d.press("r", "r")
        assert d.app.run_screen.shown == "A1.slots"
        await d.press("k", "k")
        assert d.app.run_screen.shown == "P.people"
        assert "both statements are confirmed" in d.screen
        await d.press("r")
        assert d.app.run_screen.shown == "P.people", "the operator is reading"
        await d.press("full_stop")
        assert d.app.run_screen.shown == "A3.sign"


async def test_live_output_is_shown_while_it_runs_and_follows(drive: Drive) -> None:
    async def talk(walk: ScriptedWalk, step: str) -> Outcome:
        for number in range(300):
            walk.say(ev.StepProgress(step, f"line {number} [/not markup]"))
        walk.say(ev.PromptShown(step, "pin", "?"))
        await walk.operator.confirm(ConfirmRequest("Go on?"))
        return Outcome.passed("done", SAID)

    async with drive((120, 40), P_people=talk) as d:
        await d.press("r")
        await d.until("line 299 [/not markup]")
        await d.until("Go on?")
        await d.settle()
        await d.press("enter")
        async with asyncio.timeout(60):  # afterwards the evidence counts
            while "line 299" in d.screen:
                await d.pilot.pause(0.01)
        await d.press("k", "o")
        await d.until("line 299")


async def test_a_terminal_that_is_too_small_says_so_and_the_prompt_keeps_its_text(drive: Drive) -> None:
    async with drive(P_people=asks("transcribe", PAPER)) as d:
        await d.press("r", "text:00aa11")
        await d.pilot.resize_terminal(60, 20)
        await d.settle()
        assert isinstance(d.app.screen, TooSmall)
        assert "60 by 20; 80 by 24 is needed" in d.screen
        await d.press("text:ff", "escape")
        await d.pilot.resize_terminal(120, 40)
        await d.settle()
        assert "00aa 11" in d.screen
        assert "00aa 11ff" not in d.screen, "keys for what cannot be seen are not taken"


async def test_a_prompt_waits_until_the_terminal_is_large_enough(drive: Drive) -> None:
    shrunk = asyncio.Event()

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await shrunk.wait()
        return await asks("pin", PIN)(walk, step)

    async with drive(P_people=play) as d:
        await d.press("r")
        await d.pilot.resize_terminal(79, 24)
        await d.settle()
        shrunk.set()
        await d.press("text:123456", "enter")
        assert isinstance(d.app.screen, TooSmall)
        assert d.walk.answers == []
        await d.pilot.resize_terminal(80, 24)
        await d.settle()
        assert "User PIN" in d.screen
        assert "••••" not in d.screen, "nothing was typed into what could not be seen"


@pytest.mark.parametrize("rehearsal", [True, False])
async def test_a_rehearsal_is_marked_on_the_run_and_on_the_prompts(drive: Drive, rehearsal: bool) -> None:
    async with drive(rehearsal=rehearsal, P_people=asks("pin", PIN)) as d:
        assert ("REHEARSAL" in d.screen.splitlines()[0]) is rehearsal
        await d.press("r")
        assert (d.screen.count("REHEARSAL") == 2) is rehearsal
        assert ("/lab/sheet.txt" in d.screen) is rehearsal


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_each_verdict_has_its_sign_and_its_word(drive: Drive, verdict: Verdict) -> None:
    play: Play = ends(Outcome(verdict, "so it is", (SAID,)))
    async with drive(P_people=play) as d:
        await d.press("r")
        row = next(line[:29] for line in d.screen.splitlines() if "P.people" in line[:12])
        assert verdict.value in row
        assert LOOKS[Status(verdict.value)].sign in row


def test_no_two_states_share_a_sign() -> None:
    assert set(LOOKS) == set(Status)
    assert len({look.sign for look in LOOKS.values()}) == len(LOOKS)


async def test_a_note_that_cannot_be_kept_ends_the_run(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_walk: ScriptedWalk, _text: str) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(ScriptedWalk, "note", full)
    async with drive() as d:
        await d.press("n", "text:x", "enter")
        assert d.app.return_value is ExitCode.ENVIRONMENT


async def test_an_error_of_the_walk_ends_the_run_with_its_code(drive: Drive) -> None:
    async def full(walk: ScriptedWalk, step: str) -> Outcome:
        raise JournalError("the disk is full")

    async with drive(P_people=full) as d:
        await d.press("r")
        assert d.app.return_value is ExitCode.ENVIRONMENT
        assert str(d.app.fault) == "the disk is full"


async def test_control_c_opens_the_quit_guard(drive: Drive) -> None:
    async with drive() as d:
        await d.press("ctrl+c")
        assert type(d.app.screen).__name__ == "QuitPrompt"


async def test_capitals_do_what_the_letters_do(drive: Drive) -> None:
    async with drive() as d:
        await d.press("R")
        assert len(of(d.walk, ev.StepFinished)) == 1


async def test_the_key_bar_is_empty_under_a_prompt(drive: Drive) -> None:
    async with drive() as d:
        assert "quit" in d.app.run_screen.query_one(KeyBar).render().plain
        await d.press("n")
        assert d.app.run_screen.query_one(KeyBar).render().plain.strip() == ""


def test_known_values_stand_in_the_keys_of_a_step() -> None:
    keys = StepParams({"folder": "{{ usb }}/export", "serial": "{{ hsm_serial }}"}, {"usb": "/mnt"})
    shown = "\n".join(line.plain for line in keys.lines(60))
    assert "/mnt/export" in shown
    assert "{{ hsm_serial }}" in shown, "what is not known yet stands as it is in the file"
