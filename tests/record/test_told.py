"""What was done, in words: every event that a person would miss has its line."""

from __future__ import annotations

import pytest

from runbook.event import Event
from runbook.ran import CommandRan
from runbook.record import events as ev
from runbook.record import gate_events as gate
from runbook.record.recovery import recover
from runbook.record.told import Act, Line, Told, lines
from tests.record.sample import EVENTS, Write

AT = "2026-11-21T08:57:25.712210Z"


def _told(*events: Event) -> list[Line]:
    return [line for event in events for line in lines(event, AT)]


def test_every_event_says_something_but_the_end_of_a_lent_terminal() -> None:
    silent = {event.type for event in EVENTS if not _told(event)}
    assert silent == set()
    assert not _told(ev.PromptAnswered("A1", "terminal", "0"))


def test_a_command_stands_as_it_was_typed_and_says_where_and_how_it_ended() -> None:
    ran = CommandRan("A1", "ls 'a b'", "ca", True, "/src", 2, {"LC_ALL": "C"}, "", 1.25)
    (line,) = _told(ran)
    assert (line.act, line.step, line.text) == (Act.COMMAND, "A1", "ls 'a b'")
    assert line.end == "exit 2 after 1.2 s, on ca, as root, in /src, with LC_ALL=C"
    assert line.clock == "08:57:25"


def test_what_ended_a_command_is_said() -> None:
    (line,) = _told(CommandRan("A1", "sleep 9", "local", False, "", None, {}, "deadline", 5.0))
    assert line.end == "ended by deadline after 5.0 s"


def test_a_secret_input_is_not_told() -> None:
    (line,) = _told(ev.InputGiven("password", None, "typed"))
    assert line.text == "password = not shown"


def test_foreign_text_is_made_harmless() -> None:
    (line,) = _told(ev.NoteAdded("A1", "red \x1b[31m and \u202eback\nnext"))
    assert line.text == "red ␛[31m and ⟨U+202E⟩back␊next"


def test_only_so_many_are_kept_and_the_others_are_counted() -> None:
    told = Told(kept=10)
    for number in range(25):
        told.take(ev.NoteAdded("A1", f"note {number}"), AT)
    assert [line.text for line in told.lines] == [f"note {number}" for number in range(15, 25)]
    assert told.dropped == 15


def test_when_facts_came_to_hold_and_who_is_there() -> None:
    told = Told()
    told.take(ev.RunStarted("r", "b", "T", "", "s", "", "p", "host", "op", False), AT)
    assert told.driver == "op"
    told.take(gate.PeopleNamed("anna", "account", {}, {"uben": "ben"}, ("ben",), ""), AT)
    told.take(gate.WitnessJoined("uben", "there"), AT)
    told.take(ev.FactEstablished("x", "A1"), "2026-11-21T09:00:00Z")
    assert (told.driver, [*told.witnesses]) == ("anna", ["ben"])
    assert told.since == {"x": "2026-11-21T09:00:00Z"}


def test_the_time_of_an_attempt_ends_with_it() -> None:
    told = Told()
    told.take(ev.StepStarted("A1", 1, "slots", {}), AT)
    assert told.step_began == AT
    told.take(ev.StepSkipped("A1", "no time"), AT)
    assert told.step_began == ""


async def test_a_run_that_goes_on_is_told_from_its_journal(write: Write) -> None:
    written = await write(*EVENTS)
    with written.path.open("rb") as file:
        told = recover(file, written.path).told
    assert [line.text for line in told.lines] == [line.text for event in EVENTS for line in lines(event, AT)]
    assert all(line.at for line in told.lines)


async def test_of_a_long_journal_only_the_end_is_told_again(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.record.recovery.KEPT", 3)
    written = await write(*EVENTS)
    with written.path.open("rb") as file:
        found = recover(file, written.path)
        assert not file.read(), "at its end, as one that is read through"
    told = found.told
    assert [line.text for line in told.lines] == [line.text for event in EVENTS[-3:] for line in lines(event, AT)]
    assert told.dropped == len(EVENTS) - 3
    assert told.driver, "what came before is known all the same"
