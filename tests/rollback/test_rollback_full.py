"""The cutover in a full lab, rolled back: killed on the way, and in the end the old CA listens from its volume."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rehearsal.conftest import home
from tests.rehearsal.program import events, journals, runbook

__all__ = ["home"]

CACHE = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
"""What full labs share is made once on a machine."""

KILLED_AT = "G3.wipe.undo2"
_DEADLINE = 900.0


def program(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runbook", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=_DEADLINE)
    return process.returncode, said


def started(journal: Path) -> list[str]:
    return [str(event["step"]) for event in events(journal, "step.started")]


def killed_at(step: str, run: Path, home: Path) -> Path:
    """Begin the roll-back, and kill it as soon as it has begun with this step; its journal."""
    output = (home / "said").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "runbook", "rollback", "--headless"],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )
    until = time.monotonic() + _DEADLINE
    while True:
        found = [journal for journal in journals(home) if journal != run]
        if found and step in started(found[0]):
            break
        assert process.poll() is None, (home / "said").read_text()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    return found[0]


@pytest.mark.timeout(3000)
def test_the_cutover_is_rolled_back_and_the_old_ca_listens(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", CACHE)
    lab = home / "lab"
    code, said = finished(program("rehearse", "--full", "--headless", "--folder", lab))
    assert code == 0, said
    (run,) = journals(home)

    back = killed_at(KILLED_AT, run, home)
    code, said = finished(program("resume", "--headless"))

    assert code == 0, said
    walked = started(back)
    assert walked.count("G3.wipe.undo1") == 1, "the volume is wiped once"
    order = [
        "G5.up.undo",
        "G3.wipe.undo1",
        "G3.pcscd_mask.undo",
        "G3.pcscd_stop.undo",
        "G2.down.undo2",
        "B3.commit.undo1",
    ]
    assert [step for step in walked if step in order] == order
    ends = {str(event["step"]): event for event in events(back, "step.finished")}
    assert "is as ccat-ca_step-ca-data.tar has it" in str(ends[KILLED_AT]["outcome.summary"]) or (
        "done already" in str(ends[KILLED_AT]["outcome.summary"])
    )
    assert ends["G2.down.undo3"]["outcome.verdict"] == "passed", "it has its keys, and listens"
    approved = [str(event["step"]) for event in events(back, "approval.given")]
    assert {"G3.wipe.undo1", KILLED_AT} <= set(approved), "two people, as on the way there"
    for journal in (run, back):
        verified = runbook("verify", journal)
        assert verified.returncode == 0, verified.stdout + verified.stderr
