"""The whole cutover on real components, killed at the point of no return and gone on with: what `--full` is for."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from rehearsal.full import engines
from rehearsal.smartcard import CardPlaces
from runbook.defaults import find_runbook
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from tests.rehearsal.program import events, journals, pin_of, processes_of, runbook, so_pin_of

# The first full lab on a machine takes minutes, in which step-ca and the base image are made.
pytestmark = pytest.mark.timeout(900)

SECONDS = 800.0


def test_killed_at_the_wipe_and_resumed_the_cutover_is_green(home: Path, full_lab: Path) -> None:
    killed = runbook(
        *("rehearse", "--full", "--headless", "--fault", "killed-at-g3", "--folder", full_lab), seconds=SECONDS
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    (journal,) = journals(home)
    assert events(journal, "step.started")[-1]["step"] == "G3.wipe"
    engine = engines.place(full_lab)
    wait_until_gone(home)
    assert not engines.is_running(engine)

    resumed = runbook("resume", "--headless", seconds=SECONDS)

    said = resumed.stdout + resumed.stderr
    assert resumed.returncode == 0, said
    assert "state    green" in resumed.stdout
    assert "not rehearsed" not in said
    assert runbook("verify", journal).returncode == 0
    passed = {event["step"] for event in events(journal, "step.finished") if event["outcome.verdict"] == "passed"}
    model = load_runbook(find_runbook(None), Registry()).model
    assert passed == {step.id for _, step in model.steps()}
    # It is done once more only where the probe has said that it was not done.
    attempts = [event["step"] for event in events(journal, "step.started")].count("G3.wipe")
    assert (attempts == 2) == ("G3.wipe  its probe says `not done`" in said)
    assert attempts <= 2
    for secret in (pin_of(full_lab / "paper-sheet.yaml"), so_pin_of(full_lab / "paper-sheet.yaml")):
        assert secret not in said + killed.stdout + killed.stderr
        assert [path for path in (home / "state").rglob("*") if path.is_file() and holds(path, secret)] == []
    assert CardPlaces(full_lab).state.exists(), "the lab is kept, as --folder has it"


def holds(path: Path, secret: str) -> bool:
    return secret.encode() in path.read_bytes()


def wait_until_gone(home: Path) -> None:
    """All that the program has started ends with it, the engine and its containers too."""
    import time

    until = time.monotonic() + 60
    while (left := processes_of(home)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == [], os.linesep.join(left)
