"""Too little memory: a run does not begin with it, and one that runs out of it ends with words and a whole record."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from runbook.outcome import Outcome, Verdict
from runbook.record.events import RunResumed, StepFinished
from runbook.record.verify import verify
from tests.endings.line import Line, Place, gone, until

MEBIBYTE = 1 << 20

SAYS_MUCH = """\
echo $$ > "$1"
until [ -e go ]; do sleep 0.02; done
head -c 3000000 /dev/urandom | base64
"""
"""Once there is a file `go`, it says four megabytes."""


@pytest.mark.parametrize("megabytes", [70, 80, 90, 95, 100, 120, 160, 200, 300, 400, 600])
def test_with_too_little_a_run_does_not_begin(tmp_path: Path, megabytes: int) -> None:
    place = Place(tmp_path, script="true\n")
    with Line(place.argv("headless"), tmp_path, place.env, memory=megabytes * MEBIBYTE) as line:
        assert line.end() == 4
    assert f"limited to {megabytes} MiB" in line.shown
    assert "ulimit -v" in line.shown
    assert "Traceback" not in line.shown
    assert not place.journal


@pytest.mark.parametrize("form", ["screens", "plain", "headless"])
def test_with_enough_it_goes_its_way(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path, script=SAYS_MUCH)
    with Line(place.argv(form), tmp_path, place.env, memory=700 * MEBIBYTE) as line:
        line.reach(place, form)
        (tmp_path / "go").touch()
        line.reading(lambda: work(place), "the end of the step")
    assert work(place).verdict is Verdict.PASSED


@pytest.mark.parametrize("more", [0, 1, 4, 8, 16, 32, 80])
@pytest.mark.parametrize("role", ["check", "action"])
def test_a_run_whose_memory_runs_out_ends_with_a_whole_record_and_goes_on(tmp_path: Path, more: int, role: str) -> None:
    place = Place(tmp_path, role=role, script=SAYS_MUCH)
    with Line(place.argv("headless"), tmp_path, place.env) as line:
        pids = line.reach(place, "headless")
        limit = size_of(line.process.pid) + more * MEBIBYTE
        resource.prlimit(line.process.pid, resource.RLIMIT_AS, (limit, limit))
        (tmp_path / "go").touch()
        code = line.end()
        until(lambda: all(gone(pid) for pid in pids), "the end of the command")
    assert code in (0, 1, 3, 4), line.shown
    assert "Traceback" not in line.shown
    assert "defect" not in line.shown
    assert verify(place.journal).intact
    if code == 4:
        assert "there was not enough memory" in line.shown
    if (outcome := work(place)) and outcome.symptom == "out of memory":
        assert outcome.verdict is (Verdict.ERRORED if role == "check" else Verdict.IN_DOUBT)
    if code:
        place.resume()
        assert any(isinstance(event, RunResumed) for event in place.events)
        assert verify(place.journal).intact
        if role == "check":
            assert work(place).verdict is Verdict.PASSED


def work(place: Place) -> Outcome | None:
    """How the step at work ended last."""
    ends = [event.outcome for event in place.events if isinstance(event, StepFinished) and event.step == "A.work"]
    return ends[-1] if ends else None


def size_of(pid: int) -> int:
    """Bytes of address space."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
