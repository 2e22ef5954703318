"""Too little memory: nothing is a defect of ours then, and the record holds up to where it went."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest

from runbook.events import StepFinished
from runbook.outcome import Verdict
from runbook.verify import verify
from tests.endings.line import Place, gone

SAYS_MUCH = 'echo $$ > "$1"; head -c 3000000 /dev/urandom | base64\n'


@pytest.mark.parametrize("megabytes", [50, 60, 70, 80, 90, 95, 100, 105, 110, 115, 120, 140, 160, 180, 200])
@pytest.mark.parametrize("role", ["check", "action"])
def test_with_little_memory_it_ends_with_words_and_a_whole_record(tmp_path: Path, megabytes: int, role: str) -> None:
    place = Place(tmp_path, role=role, script=SAYS_MUCH)
    limit = megabytes << 20
    done = subprocess.run(
        place.argv("headless"),
        cwd=tmp_path,
        env=place.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode in (0, 1, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
    if done.returncode == 4:
        assert "there was not enough memory" in done.stderr
    if place.journal:
        assert verify(place.journal).intact
    work = [event.outcome for event in place.events if isinstance(event, StepFinished) and event.step == "A.work"]
    if work and work[0].symptom == "out of memory":
        assert work[0].verdict is (Verdict.ERRORED if role == "check" else Verdict.IN_DOUBT)
    assert all(gone(pid) for pid in place.working())
