"""Facts and journal: in the place of the page, beside it where there is room, as they come, and searched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbook.outcome import Outcome
from runbook.ran import CommandRan
from runbook.record import events as ev
from runbook.record.gate_events import WitnessJoined
from runbook.record.pace import Pace
from runbook.record.state import fold
from runbook.record.told import Told
from tests.screens.conftest import Drive, Driven, StoppedClock
from tests.screens.samples import EVIDENCE, RUNBOOK
from tests.screens.scripted import SAID, ScriptedWalk, session, started

GIT = CommandRan("P.tree", "git --no-pager status --branch", "local", False, "/src", 0, {"LC_ALL": "C"}, "", 0.04)
SHOW = CommandRan("P.tree", "systemctl show pcscd.service", "ca", True, "", 3, {}, "", 0.4)
TOKEN = "ccat-intermediate [DENK0100002]"


async def work(walk: ScriptedWalk, step: str) -> Outcome:
    walk.say(GIT)
    walk.say(SHOW)
    walk.say(ev.PinAttempt(step, TOKEN, "user PIN", 3))
    walk.say(ev.PinResult(step, TOKEN, True, 3))
    return Outcome.passed("clean, on main, up to date", EVIDENCE["git"][0])


def panel(d: Driven) -> str:
    """What stands in the panel, without its folds."""
    inside = (line.split("│")[1] for line in d.screen.splitlines() if line.count("│") > 1)
    return " ".join(" ".join(inside).split())


async def test_the_journal_tells_every_command_where_it_ran_and_how_it_ended(drive: Drive) -> None:
    async with drive((120, 40), P_tree=work) as d:
        await d.press("r", "r", "v")
        await d.until("git --no-pager status --branch")
        assert "$ git --no-pager" in d.screen
        await d.until("passed: clean")
        assert "# systemctl show pcscd.service exit 3 after 0.4 s, on ca, as root" in panel(d)
        assert "the user PIN of ccat-intermediate [DENK0100002] was accepted 3 attempts left" in panel(d)
        assert "Git working tree" not in d.screen, "it stands in the place of the page"
        await d.press("v")
        assert "git --no-pager" not in d.screen
        assert "Exactly one token" in d.screen


async def test_the_journal_is_reduced_to_its_commands_and_unfolded_again(drive: Drive) -> None:
    async with drive((120, 40), P_tree=work) as d:
        await d.press("r", "r", "v", "x")
        await d.until("commands only, x shows all")
        assert "systemctl show" in d.screen
        assert "3 attempts left" not in d.screen
        await d.press("x")
        await d.until("3 attempts left")


async def test_what_comes_while_it_is_open_is_shown(drive: Drive) -> None:
    async with drive((80, 24)) as d:
        await d.press("v", "n", "text:the door was open", "enter")
        await d.until("the door was open")


async def test_the_journal_is_searched(drive: Drive) -> None:
    async with drive((120, 40), P_tree=work) as d:
        await d.press("r", "r", "v", "slash", "text:pcscd")
        await d.until("1 of 1 lines")


async def test_who_takes_part_is_told_also_where_nothing_else_changes(drive: Drive) -> None:
    async with drive((200, 60)) as d:
        await d.until("driver   op")
        d.walk.say(WitnessJoined("ben", "input-b"))
        await d.until("witness  ben")


async def test_facts_say_since_when_and_for_whom(drive: Drive) -> None:
    async with drive((80, 24)) as d:
        await d.press("f")
        await d.until("0 of 2 hold")
        assert "will be so after P.people; needed by A1.slots" in panel(d)
        await d.press("r")
        await d.until("1 of 2 hold")
        assert "since P.people, 09:10:00; needed by A1.slots" in panel(d)
        assert "driver   op" in d.screen


async def test_from_160_columns_both_are_in_sight_and_can_be_closed(drive: Drive) -> None:
    async with drive((160, 50), P_tree=work) as d:
        await d.until("What is true in the room")
        await d.until("started: CA cutover")
        assert "The host sees the dongle" not in d.screen
        await d.press("f")
        assert "What is true in the room" not in d.screen
        assert "started: CA cutover" in d.screen
        await d.press("v")
        assert "started: CA cutover" not in d.screen
        await d.press("v", "f")
        await d.until("What is true in the room")


async def test_a_terminal_that_changes_keeps_what_is_open(drive: Drive) -> None:
    async with drive((120, 40), P_tree=work) as d:
        await d.press("v")
        await d.until("started: CA cutover")
        await d.pilot.resize_terminal(200, 60)
        await d.settle()
        await d.until("What is true in the room")
        assert "People and paper" in d.screen, "the page is there again"
        await d.pilot.resize_terminal(80, 24)
        await d.settle()
        assert "What is true in the room" not in d.screen
        await d.until("Journal")


async def test_a_run_that_goes_on_shows_what_was_done_before(drive: Drive) -> None:
    from screens.app import RunbookApp
    from tests.screens.samples import GREEN

    before = Told()
    events = (started(RUNBOOK), ev.StepStarted("P.people", 1, "attest", {}), GIT, ev.FactEstablished("x", "P.people"))
    for event in events:
        before.take(event, "2026-04-28T10:11:12.000000Z")
    made, _ = session(RUNBOOK, GREEN, history=fold(events), told=before)
    app = RunbookApp(made)
    async with app.run_test(size=(120, 40)) as pilot:
        d = Driven(app, pilot, [], [])
        await d.settle()
        await d.press("v")
        await d.until("10:11:12 $ git --no-pager status --branch")
        await d.until("goes on after it was left")


async def test_long_ids_are_told_apart_at_80_columns() -> None:
    from screens.widgets.step_list import shortened

    ids = ("A4.intermediate_certificate", "A4.intermediate_key_on_card", "A4.intermediate", "B")
    ids += ("A4.intermediate_a_certificate", "A4.intermediate_b_certificate")
    short = shortened(ids, 14)
    assert len({short.get(one, one) for one in ids}) == len(ids)
    assert all(len(one) <= 14 for one in short.values())
    assert shortened(("ab" * 9 + "x" * 12, "ab" * 9 + "y" + "x" * 11), 12).keys() == {
        *("ab" * 9 + "x" * 12, "ab" * 9 + "y" + "x" * 11)
    }


async def test_the_time_of_a_step_goes_on_and_says_when_it_is_late(drive: Drive, wall_clock: StoppedClock) -> None:
    async def slow(walk: ScriptedWalk, step: str) -> Outcome:
        from runbook.operator import ConfirmRequest

        walk.say(ev.PromptShown(step, "confirm", "?"))
        await walk.operator.confirm(ConfirmRequest("Go on?"))
        return Outcome.passed("done", SAID)

    async with drive((120, 40), P_people=slow) as d:
        d.app.run_screen.expect(Pace({"P.people": 30.0, "P.tree": 60.0}))
        await d.settle()
        await d.until("expected about 30 s")
        await d.until("about 1 min 30 s and more left · 09:10 UTC")
        await d.press("r")
        await d.until("0 s, expected about 30 s")
        wall_clock.go_on(12)
        await d.until("12 s, expected about 30 s")
        wall_clock.go_on(58)
        await d.until("1 min 10 s, 40 s longer than expected (30 s)")
        await d.until("1 min so far · about 1 min and more left · 09:11 UTC")
        await d.press("y")
        await d.settle()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_exact_commands_unfold(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("G", "x")
        await d.until("what it does, exactly")
        await d.until('file: "root_ca.crt"')
        await d.press("x")
        await d.settle()
        assert "what it does, exactly" not in d.screen


async def test_the_header_takes_three_lines_at_80_columns(drive: Drive) -> None:
    async with drive((80, 24), rehearsal=True) as d:
        await d.press("r")
        header = d.app.run_screen._header
        assert header.size.height == 3
        assert "20260429-091000-hsm-cutover-7f3a" in d.screen
        assert "driver op" in d.screen
        assert "REHEARSAL" in d.screen
        assert "09:10 UTC" in d.screen


async def test_a_very_long_run_id_takes_one_line_more() -> None:
    from screens.widgets.run_header import Identity, RunHeader

    header = RunHeader(Identity("20260429-091000-" + "x" * 50 + "-7f3a", "T", "site", rehearsal=False), (), Told())
    header.head = "0047 C0DE 9A7F 07C1 3F9A"
    lines = [line.plain for line in header.lines(78)]
    assert len(lines) == 4
    assert "0047 C0DE 9A7F 07C1 3F9A" in lines[-1]
    assert all(len(line) <= 78 for line in lines)


async def test_pictures(drive: Drive, picture: Callable[[Driven, str], None]) -> None:
    async with drive((80, 24), rehearsal=True, P_tree=work) as d:
        await d.press("r", "r", "f")
        await d.until("1 of 2 hold")
        picture(d, "facts-80x24")
        await d.press("v")
        await d.until("passed: clean")
        picture(d, "journal-80x24")
    async with drive((200, 60), rehearsal=True, P_tree=work) as d:
        await d.press("r", "r")
        await d.until("passed: clean")
        await d.until("1 of 2 hold")
        picture(d, "wide-200x60")
    async with drive((120, 40), rehearsal=True) as d:
        await d.press("G", "x")
        await d.until('file: "root_ca.crt"')
        picture(d, "commands-120x40")
