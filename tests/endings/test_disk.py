"""The disk of the record fills up, or goes away, while a run goes on."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook.record.events import RunFinished, RunResumed, StepFinished, StepStarted
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.endings.line import HANGS, WAITS, Line, Place, all_end

FORMS = ("screens", "plain", "headless")
PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system of so many pages for the state."""
    mounted: list[Path] = []

    def mount(pages: int) -> Path:
        folder = tmp_path / "state"
        folder.mkdir(exist_ok=True)
        options = f"size={pages * PAGE},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def fill(folder: Path) -> Path:
    """Not a byte is left."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * PAGE)
        except OSError:
            return filling


@pytest.mark.parametrize("pages", range(2, 14))
def test_whenever_the_disk_is_full_the_record_up_to_there_is_whole(
    tmp_path: Path, disk: Callable[[int], Path], pages: int
) -> None:
    place = Place(tmp_path, script="true\n")
    state = disk(pages)
    done = subprocess.run(
        place.argv("headless"), cwd=tmp_path, env=place.env, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 0:
        assert place.events[-1] == RunFinished("green")
        assert pages > 3, "so little room is enough"
        return
    assert done.returncode == 4, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert str(state) in done.stderr
    if place.journal and place.journal.stat().st_size:  # an empty one says that nothing began
        assert verify(place.journal).intact
        assert not any(isinstance(event, RunFinished) for event in place.events)


@pytest.mark.parametrize("form", FORMS)
def test_a_disk_that_fills_up_under_a_step_stops_the_run_there(
    tmp_path: Path, disk: Callable[[int], Path], form: str
) -> None:
    place = Place(tmp_path, script=WAITS)
    state = disk(64)
    with Line(place.argv(form), tmp_path, place.env) as line:
        line.reach(place, form)
        filling = fill(state)
        (tmp_path / "go").touch()
        assert line.end() == 4
        assert line.restored() == []
        assert "No space left on device" in line.shown
        assert "runbook resume" in line.shown
    assert any(isinstance(event, StepStarted) and event.step == "A.work" for event in place.events)
    assert not any(isinstance(event, StepFinished) and event.step == "A.work" for event in place.events)
    assert verify(place.journal).intact
    filling.unlink()
    resumed = place.resume()
    assert "A.work" in resumed.stderr
    assert any(isinstance(event, RunResumed) for event in place.events)
    assert verify(place.journal).intact


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("how", ["removed", "unmounted"])
def test_a_record_that_vanishes_stops_the_run(tmp_path: Path, disk: Callable[[int], Path], form: str, how: str) -> None:
    place = Place(tmp_path, script=WAITS)
    state = disk(64)
    with Line(place.argv(form), tmp_path, place.env) as line:
        line.reach(place, form)
        kept = tmp_path / "kept.jsonl"
        shutil.copy(place.journal, kept)
        if how == "removed":
            shutil.rmtree(place.journal.parent)
        else:
            subprocess.run(["umount", "-l", str(state)], check=True)
        (tmp_path / "go").touch()
        assert line.end() == 4
        assert line.restored() == []
        assert "The run's folder is gone" in line.shown
        assert "Traceback" not in line.shown
    *_, last = read_events(kept)
    assert isinstance(last, StepStarted)
    assert not place.journal, "nothing was written elsewhere"


@pytest.mark.parametrize("form", FORMS)
def test_what_is_at_work_ends_although_nothing_can_be_recorded_any_more(tmp_path: Path, form: str) -> None:
    """A signal comes when not one byte more can be written: the step has no end on the record, its processes have."""
    place = Place(tmp_path, script=HANGS)
    with Line(place.argv(form), tmp_path, place.env) as line:
        with all_end(line.reach(place, form)):
            size = place.journal.stat().st_size
            resource.prlimit(line.process.pid, resource.RLIMIT_FSIZE, (size, size))
            line.process.terminate()
            assert line.end() == 4
        assert line.restored() == []
        assert "the journal cannot be written: File too large" in line.shown
    assert place.journal.stat().st_size == size
    assert isinstance(place.events[-1], StepStarted)
