"""The folder with a run's record has gone: nothing goes on without it, and the refusal says what is missing where."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.endings.line import DEADLINE, WAITS, Line, Place, all_end


def stopped(folder: Path) -> Place:
    """A run that was ended in its second step."""
    place = Place(folder, role="check", script=WAITS)
    with Line(place.argv("headless"), folder, place.env) as line, all_end(line.reach(place, "headless")):
        line.process.send_signal(signal.SIGTERM)
        assert line.end() == 3
    (folder / "go").touch()
    return place


def resume(place: Place, *run: str) -> str:
    """What is said when it is refused, on one line."""
    refused = subprocess.run(
        [*place.argv_resume(), *run],
        cwd=place.folder,
        env=place.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert refused.returncode == 2, refused.stdout + refused.stderr
    return " ".join(refused.stderr.split())


@pytest.mark.parametrize("gone", ["", "hsm-runbook", "hsm-runbook/runs"])
def test_without_the_state_folder_no_run_goes_on(tmp_path: Path, gone: str) -> None:
    place = stopped(tmp_path)
    run_id = place.journal.parent.name if place.journal else ""
    shutil.rmtree(place.state / gone)
    runs = place.state / "hsm-runbook" / "runs"
    for said in (resume(place), resume(place, run_id)):
        assert f"error: {runs}: there is no run" in said
        assert "below its $XDG_STATE_HOME" in said
        assert "nothing tells what was done" in said
    assert list(place.state.rglob("journal.jsonl")) == []
    assert len(place.pids.read_text().split()) == 1, "the step was begun again"


def test_without_its_journal_the_run_does_not_go_on(tmp_path: Path) -> None:
    place = stopped(tmp_path)
    journal = place.journal
    assert journal is not None
    journal.unlink()
    assert f"error: {journal.parent}: this folder holds no journal.jsonl" in resume(place, journal.parent.name)
    assert f"error: {journal.parents[1]}: there is no run to go on with" in resume(place)
    assert not journal.exists()


@pytest.mark.parametrize("form", ["screens", "plain", "headless"])
def test_a_run_whose_record_goes_ends_before_the_next_step(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path, role="check", script=WAITS)
    with Line(place.argv(form), tmp_path, place.env) as line, all_end(line.reach(place, form)):
        shutil.rmtree(place.state)
        (tmp_path / "go").touch()
        assert line.end() == 4
        assert "The run's folder is gone; nothing may go on without the record." in " ".join(line.shown.split())
