"""What was done, in words: every event that a person would miss has its line."""

from __future__ import annotations

import pytest

from checks.evidence.files import CommandOutput
from runbook.errors import JournalError
from runbook.event import Event, Level
from runbook.outcome import Outcome
from runbook.ran import CommandRan
from runbook.record import events as ev
from runbook.record import gate_events as gate
from runbook.record.chain import seal, unseal
from runbook.record.records import Value, fields_of
from runbook.record.recovery import recover
from runbook.record.state import apply, fold
from runbook.record.told import UNFOLDED, Act, Line, Told, lines
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


def test_what_is_only_told_is_all_that_is_passed_over() -> None:
    """A run that goes on does not look into these events: nothing of them may be in its state."""
    state, told = fold(EVENTS), Told()
    for event in EVENTS:
        told.follow(event, AT)
    known = dict(vars(told))
    passed_over = [event for event in EVENTS if event.type in UNFOLDED]
    assert passed_over
    for event in passed_over:
        told.follow(event, "2026-11-22T00:00:00Z")
        assert apply(state, event) is state
    assert vars(told) == known


async def test_what_the_last_attempt_found_is_read_back(write: Write) -> None:
    def found(text: str) -> Outcome:
        said = CommandOutput(argv=("ls",), cwd="/", exit_code=0, stdout=text, stderr="")
        return Outcome.passed(text, said)

    attempts = [
        ev.StepStarted("A1", 1, "command", {}),
        ev.StepFinished("A1", 1, found("first")),
        ev.StepStarted("A1", 2, "command", {}),
        ev.StepFinished("A1", 2, found("second")),
        ev.StepStarted("A2", 1, "command", {}),
        ev.StepFinished("A2", 1, found("of another step")),
        ev.StepStarted("A2", 2, "command", {}),
    ]
    written = await write(EVENTS[0], *attempts)
    with written.path.open("rb") as file:
        state = recover(file, written.path).state
    assert state == fold([EVENTS[0], *attempts])
    assert state.step("A1").outcome == found("second")
    assert state.step("A2").outcome is None


@pytest.mark.parametrize("kept", [1, 9])
async def test_a_record_that_cannot_be_read_is_named(write: Write, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """In whichever reading it is come upon; one that is neither folded nor told is of no consequence."""
    monkeypatch.setattr("runbook.record.recovery.KEPT", kept)
    written = await write(EVENTS[0], CommandRan("A1", "ls", "ca", False, "", 0, {}, "", 1.0))
    lines_ = written.path.read_bytes().splitlines(keepends=True)
    first = unseal(lines_[0][:-1])
    less, head = seal(2, first.hash, "command.ran", {"step": Value(Level.PUBLIC, "A1")}, AT)
    last, _ = seal(3, head, "note", fields_of(ev.NoteAdded("A1", "a note")), AT)
    written.path.write_bytes(lines_[0] + less + last)
    with written.path.open("rb") as file:
        if kept > 1:
            with pytest.raises(JournalError, match=r"record 2: a `command.ran` record lacks a field"):
                recover(file, written.path)
        else:
            assert recover(file, written.path).events_count == 3
