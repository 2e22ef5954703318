"""A driver that is killed: the run does not go on while something that it had started is still at work."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from runbook.record.events import RunFinished, RunResumed
from runbook.record.verify import verify
from tests.endings.line import Line, Place, all_end, gone, until

AGAIN = """\
trap '' TERM HUP INT
for before in $(cat "$1"); do if kill -0 $before; then echo $before >> "$1.twice"; fi; done
again=$(cat "$1")
echo $$ >> "$1"
[ -n "$again" ] || while true; do sleep 1000; done
"""
"""Ignores signals; at the second time it writes down which of the first time still lives, and ends."""


def supervisor_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def begun(place: Place) -> Place:
    place.pids.touch()
    return place


def test_a_run_goes_on_only_when_nothing_of_the_dead_driver_is_left(tmp_path: Path) -> None:
    place = begun(Place(tmp_path, role="check", script=AGAIN))
    with Line(place.argv("headless"), tmp_path, place.env) as line, all_end(line.reach(place, "headless")):
        line.process.kill()
        line.end()
        resumed = place.resume()
    assert resumed.returncode == 0, resumed.stderr
    assert not place.pids.with_name("pids.twice").exists(), "it ran beside what was left of the first time"
    assert place.events[-1] == RunFinished("green")
    assert verify(place.journal).intact


def test_what_is_still_being_ended_is_waited_for(tmp_path: Path) -> None:
    place = begun(Place(tmp_path, role="check", script=AGAIN))
    with Line(place.argv("headless"), tmp_path, place.env) as line:
        pids = line.reach(place, "headless")
        supervisor = supervisor_of(pids[0])
        with all_end([*pids, supervisor]):
            os.kill(supervisor, signal.SIGSTOP)
            line.process.kill()
            line.end()
            with Line(place.argv_resume(), tmp_path, place.env) as going_on:
                going_on.until("is gone; what it had started is still being ended")
                assert not any(isinstance(event, RunResumed) for event in place.events)
                os.kill(supervisor, signal.SIGCONT)
                assert going_on.end() == 0
    assert not place.pids.with_name("pids.twice").exists()
    assert place.events[-1] == RunFinished("green")


def test_what_cannot_be_ended_is_named_and_nothing_goes_on(tmp_path: Path) -> None:
    place = begun(Place(tmp_path, role="check", script=AGAIN))
    with Line(place.argv("headless"), tmp_path, place.env) as line:
        pids = line.reach(place, "headless")
        supervisor = supervisor_of(pids[0])
        with all_end([*pids, supervisor]):
            os.kill(supervisor, signal.SIGSTOP)
            line.process.kill()
            line.end()
            refused = place.resume()
            assert refused.returncode == 4
            assert f"has not ended yet (process {supervisor} sees to it)" in refused.stderr
            assert not any(isinstance(event, RunResumed) for event in place.events)
            os.kill(supervisor, signal.SIGCONT)
            until(lambda: gone(supervisor), "the end of what was left")
            assert place.resume().returncode == 0
    assert not place.pids.with_name("pids.twice").exists()
    assert place.events[-1] == RunFinished("green")
