"""A check of another package, found by its entry point: whatever it does, the run and its record stay sound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """\
import asyncio, os, sys, time

from runbook.kind import Check, Params
from runbook.outcome import Outcome


class OddParams(Params):
    how: str


class Odd(Check[OddParams]):
    \"\"\"It does what no check may do.\"\"\"

    name = "odd"
    Params = OddParams

    async def run(self, ctx):
        match self.params.how:
            case "raise":
                raise ValueError("the PIN is plover-9")
            case "hang":
                await asyncio.sleep(600)
            case "block":
                time.sleep(600)
            case "spin":
                while True:
                    pass
            case "leave":
                sys.exit(0)
            case "print":
                os.write(1, b"PASSED \\x1b[2J\\n")
                return Outcome.failed("it is red")
            case "forget":
                return None
"""

RUNBOOK = """\
runbook: 1
id: odd
title: Odd
stages:
  - id: A
    title: First
    steps:
      - {id: A.odd, title: Odd, check: odd, how: HOW, deadline: 1}
"""

ENTRY_POINTS = "[runbook.checks]\ncheck.odd = odd:Odd\ncheck.gone = no_such_module:Gone\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An installed package `odd`, beside a second one whose module is missing."""
    info = tmp_path / "site" / "odd-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info.parent / "odd.py").write_text(CHECK)
    return {**os.environ, "PYTHONPATH": str(info.parent), "XDG_STATE_HOME": str(tmp_path / "state")}


def call(env: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "runbook", *arguments]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "a defect in check `odd`: ValueError at odd.py:"),
        ("hang", "not done within its 1 seconds"),
        ("leave", "a defect in check `odd`: SystemExit at odd.py:"),
        ("print", "failed: it is red"),
        ("forget", "a defect in check `odd`: TypeError at "),
    ],
)
def test_the_step_is_not_green_and_the_run_ends_as_it_should(
    env: dict[str, str], tmp_path: Path, how: str, said: str
) -> None:
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.replace("HOW", how))
    done = call(env, tmp_path, "run", "--headless")
    assert done.returncode == 1
    assert "not green  A.odd: " in done.stdout
    assert said in done.stdout
    assert "Traceback" not in done.stderr
    verified = call(env, tmp_path, "verify", "last")
    assert (verified.returncode, "state    failed" in verified.stdout) == (0, True)
    assert all(b"plover-9" not in path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())


def test_a_package_that_cannot_be_loaded_hides_no_other_check(env: dict[str, str], tmp_path: Path) -> None:
    done = call(env, tmp_path, "checks")
    assert done.returncode == 0
    assert "check: slots" in done.stdout
    assert "check: odd" in done.stdout
    assert "not usable: the check `gone` of no_such_module:Gone cannot be loaded" in done.stdout
    assert call(env, tmp_path, "schema").returncode == 0
    named = call(env, tmp_path, "checks", "gone")
    assert (named.returncode, "Reinstall the package" in named.stderr) == (4, True)


@pytest.mark.parametrize(("how", "number"), [("block", signal.SIGTERM), ("spin", signal.SIGINT)])
def test_a_check_that_blocks_everything_is_told_and_can_be_ended(
    env: dict[str, str], tmp_path: Path, how: str, number: signal.Signals
) -> None:
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.replace("HOW", how))
    argv = [sys.executable, "-m", "runbook", "run", "--headless"]
    with subprocess.Popen(argv, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stderr is not None
            told = next(line for line in run.stderr if "A.odd holds up the whole program (odd.py:" in line)
            assert "its deadline was 1. SIGTERM ends the program." in told
            run.send_signal(number)
            _, said = run.communicate(timeout=20)
        finally:
            run.kill()
    assert run.returncode == 3
    assert f"error: ended by {number.name}, as step A.odd held up the whole program (odd.py:" in said
    verified = call(env, tmp_path, "verify", "last")
    assert (verified.returncode, "state    not finished" in verified.stdout) == (0, True)
    assert f"runbook resume {next((tmp_path / 'state').glob('hsm-runbook/runs/*')).name}" in said
