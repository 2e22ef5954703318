"""A run that is ended while its token's worker is inside a call of C that never comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import yaml

from runbook.outcome import Verdict
from runbook.record.events import RunFinished, StepFinished, StepStarted
from runbook.record.verify import verify
from tests.endings.line import Line, Place, all_end
from tests.hsm.shim import C_GET_TOKEN_INFO, Shim
from tests.softhsm import LABEL, SoftHsm

RUNBOOK = """\
runbook: 1
id: ending
title: A run that ends while its token hangs
stages:
  - id: A
    title: The token
    steps:
      - {id: A.first, title: Something done, check: command, run: [echo, first]}
      - {id: A.work, title: The token, check: slots, token: intermediate}
"""


def a_place(folder: Path, shim: Shim) -> Place:
    place = Place(folder)
    (folder / "runbook.yaml").write_text(RUNBOOK)
    profile = shim.profile()
    token = {"module": str(shim.module), "label": LABEL, "serial": profile.serial, "env": dict(profile.env)}
    (folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here", "tokens": {"intermediate": token}}))
    return place


def workers(folder: Path) -> list[int]:
    """The processes that have the module loaded."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder / "shim.so") in (process / "maps").read_text():
                found.append(int(process.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


@pytest.mark.parametrize("form", ["screens", "plain", "headless"])
@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "line", "SIGKILL"])
def test_the_program_ends_and_the_worker_with_it(tmp_path: Path, softhsm: SoftHsm, form: str, how: str) -> None:
    shim = Shim.make(tmp_path, softhsm)
    shim.faults(f"fault {C_GET_TOKEN_INFO} hang")
    place = a_place(tmp_path, shim)
    with Line(place.argv(form), tmp_path, place.env) as line:
        line.begin(place, form)
        line.reading(lambda: shim.calls(C_GET_TOKEN_INFO), "the call")
        found = workers(tmp_path)
        assert found
        with all_end(found):
            if how == "line":
                line.drop()
            else:
                os.kill(line.process.pid, signal.Signals[how])
            assert line.end() == (-signal.SIGKILL if how == "SIGKILL" else 3)
        assert "Traceback" not in line.shown
    assert verify(place.journal).intact
    if how == "SIGKILL":
        assert isinstance(place.events[-1], StepStarted)
        return
    finished = next(event for event in reversed(place.events) if isinstance(event, StepFinished))
    assert finished.step == "A.work"
    assert finished.outcome.verdict is not Verdict.PASSED
    assert isinstance(place.events[-1], RunFinished)
    assert place.events[-1].state == "stopped"

    shim.faults()
    again = place.resume()
    assert again.returncode == 0, again.stdout + again.stderr
    assert place.events[-1] == RunFinished("green")
