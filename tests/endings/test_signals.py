"""A run that is ended from outside while an action is at work: on screens, on a plain terminal, without a person."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from runbook.outcome import Verdict
from runbook.ran import CommandRan
from runbook.record.events import RunFinished, StepFinished, StepStarted
from runbook.record.verify import verify
from runbook.terminal.watchdog import TOGETHER
from tests.endings.line import WAITS, Line, Place, all_end

FORMS = ("screens", "plain", "headless")


def start(place: Place, form: str, *, signalled: bool = True) -> Line:
    return Line(place.argv(form), place.folder, place.env, signalled=signalled)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_step_its_processes_and_the_run(tmp_path: Path, form: str, number: signal.Signals) -> None:
    place = Place(tmp_path)
    with start(place, form) as line:
        with all_end(line.reach(place, form)):
            line.process.send_signal(number)
            assert line.end() == 3
        assert line.restored() == []
        assert "runbook resume" in line.shown
    *_, finished, _, last = place.events
    assert isinstance(finished, StepFinished)
    assert finished.step == "A.work"
    assert finished.outcome.verdict is Verdict.IN_DOUBT
    assert isinstance(last, RunFinished)
    assert last.state == "stopped"
    assert verify(place.journal).intact
    assert "Traceback" not in line.shown


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("signalled", [True, False])
def test_a_line_that_drops_ends_it_too(tmp_path: Path, form: str, signalled: bool) -> None:
    """Without the signal (another session than the terminal's) the dead terminal itself tells."""
    if form == "headless" and not signalled:
        return  # nothing is read from the terminal, and what is said goes nowhere: it goes on to its end
    place = Place(tmp_path)
    with start(place, form, signalled=signalled) as line, all_end(line.reach(place, form)):
        line.drop()
        assert line.end() == 3
    last = place.events[-1]
    assert isinstance(last, RunFinished)
    assert last.state == "stopped"


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_program_leaves_no_process_and_a_step_without_end(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path)
    with start(place, form) as line, all_end(line.reach(place, form)):
        line.process.kill()
        assert line.end() == -signal.SIGKILL
    last = place.events[-1]
    assert isinstance(last, StepStarted)
    assert last.step == "A.work"
    assert verify(place.journal).intact


@pytest.mark.parametrize("form", FORMS)
def test_a_second_signal_ends_the_program_at_once(tmp_path: Path, form: str) -> None:
    """Also while the first one is being followed: what supervises the command does not answer."""
    place = Place(tmp_path)
    with start(place, form) as line:
        pids = line.reach(place, form)
        supervisor = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
        with all_end([*pids, supervisor]):
            os.kill(supervisor, signal.SIGSTOP)
            try:
                began = time.monotonic()
                line.process.send_signal(signal.SIGTERM)
                line.reading(lambda: time.monotonic() - began > TOGETHER, "the time for a second one")
                assert line.process.poll() is None
                # Again and again: on a busy machine two may be noticed together, and be taken for one.
                line.insist(signal.SIGTERM, 2 * TOGETHER)
                assert line.end() == 3
            finally:
                os.kill(supervisor, signal.SIGCONT)
        assert line.restored() == []
        assert "ended at once by a second signal (SIGTERM) while step A.work was at work" in line.shown
    left = [event for event in place.events if not isinstance(event, CommandRan)]
    assert isinstance(left[-1], StepStarted), "the step is in doubt"


@pytest.mark.parametrize("form", ["screens", "plain"])
@pytest.mark.parametrize("signalled", [True, False])
def test_a_line_that_drops_at_a_prompt_ends_the_run(tmp_path: Path, form: str, signalled: bool) -> None:
    place = Place(tmp_path)
    with start(place, form, signalled=signalled) as line:
        line.until("your turn" if form == "screens" else "Number \\(empty: 1\\): ")
        line.drop()
        assert line.end() == 3
    last = place.events[-1]
    assert isinstance(last, RunFinished)
    assert last.state == "stopped"


def test_a_run_that_is_to_outlive_its_line_does_so(tmp_path: Path) -> None:
    """`nohup`: what was to be ignored from the start stays ignored."""
    place = Place(tmp_path, role="check", script=WAITS)
    with Line(["nohup", *place.argv("headless")], tmp_path, place.env) as line:
        line.reading(place.pids.exists, "the command")
        line.drop()
        (tmp_path / "go").touch()
        assert line.end() == 0
    last = place.events[-1]
    assert isinstance(last, RunFinished)
    assert last.state == "green"
