"""A run goes on after every kind of ending, and nothing in it is done twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runbook.record.events import RunFinished, RunResumed, StepStarted
from runbook.record.verify import verify
from tests.endings.line import WAITS, Line, Place, all_end


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("role", ["check", "action"])
def test_after_a_signal(tmp_path: Path, number: signal.Signals, role: str) -> None:
    place = Place(tmp_path, role=role, script=WAITS)
    with Line(place.argv("headless"), tmp_path, place.env) as line, all_end(line.reach(place, "headless")):
        line.process.send_signal(number)
        line.end()
    (tmp_path / "go").touch()
    resumed = place.resume()
    events = place.events
    assert verify(place.journal).intact
    began = [event.step for event in events if isinstance(event, StepStarted)]
    assert began.count("A.first") == 1
    assert any(isinstance(event, RunResumed) for event in events)
    if role == "check":
        assert resumed.returncode == 0, resumed.stderr
        assert events[-1] == RunFinished("green")
        assert began == ["A.first", "A.work", "A.work", "A.last"]
    else:
        assert resumed.returncode != 0
        assert began == ["A.first", "A.work"], "an action that is in doubt was begun again without a decision"
