"""A run that is ended from outside while an action is at work: on screens, on a plain terminal, without a person."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from runbook.events import RunFinished, StepFinished, StepStarted
from runbook.outcome import Verdict
from runbook.verify import verify
from tests.endings.line import Line, Place, all_end, gone

FORMS = ("screens", "plain", "headless")


def start(place: Place, form: str, *, signalled: bool = True) -> Line:
    return Line(place.argv(form), place.folder, place.env, signalled=signalled)


def reach(line: Line, place: Place, form: str) -> list[int]:
    """Have the second step at work; its processes."""
    if form == "plain":
        for step in ("A.first", "A.work"):
            line.until(rf"{step} is next[\s\S]*Number \(empty: 1\): ")
            line.type("\n")
    if form == "screens":
        line.until("your turn")
        line.type("r")
        line.reading(lambda: any(isinstance(event, StepFinished) for event in place.events), "the first step")
        line.until("A.work")
        line.type("r")
    return line.reading(place._written, "the command")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_step_its_processes_and_the_run(tmp_path: Path, form: str, number: signal.Signals) -> None:
    place = Place(tmp_path)
    with start(place, form) as line:
        with all_end(reach(line, place, form)):
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
    with start(place, form, signalled=signalled) as line:
        with all_end(reach(line, place, form)):
            line.drop()
            assert line.end() == 3
    last = place.events[-1]
    assert isinstance(last, RunFinished)
    assert last.state == "stopped"


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_program_leaves_no_process_and_a_step_without_end(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path)
    with start(place, form) as line:
        with all_end(reach(line, place, form)):
            line.process.kill()
            assert line.end() == -signal.SIGKILL
    last = place.events[-1]
    assert isinstance(last, StepStarted)
    assert last.step == "A.work"
    assert verify(place.journal).intact
