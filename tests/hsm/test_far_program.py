"""Stage A of the cutover through the program, with the token on a host: a real sshd, p11-kit and OpenSC there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.token import TokenKind
from runbook.record.events import PinAttempt, PinResult, StepFinished
from runbook.record.journal import read_events
from tests.ssh_lab.namespaces import ROOT

PROGRAM = str(Path(sys.executable).with_name("runbook"))
TOKEN_CHECKS = ("slots", "objects", "pin_counter", "sign_test", "key_match")


class _AsWritten(yaml.SafeLoader):
    """Key ids such as `01` stay text, as they do for the program."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int | str:
        return str(node.value) if node.value.startswith("0") and len(node.value) > 1 else int(node.value)


_AsWritten.add_constructor("tag:yaml.org,2002:int", _AsWritten.construct_yaml_int)


def token_steps(lab: Lab, folder: Path) -> Path:
    """The cutover's checks of the token, all else of it left out."""
    whole: dict[str, Any] = yaml.load((ROOT / "runbook.yaml").read_text(), _AsWritten)  # noqa: S506 - it is a safe one
    (stage,) = (stage for stage in whole["stages"] if stage["id"] == "A")
    steps = [step for step in stage["steps"] if step.get("check") in TOKEN_CHECKS]
    for step in steps:
        for key in ("requires", "establishes", "gate"):
            step.pop(key, None)
    used = {name: given for name, given in whole["inputs"].items() if f"{{{{ {name} }}}}" in str(steps)}
    small = {**whole, "facts": {}, "inputs": used, "stages": [{**stage, "steps": steps}]}
    path = folder / "stage-a.yaml"
    path.write_text(yaml.safe_dump(small, sort_keys=False))
    return path


def walk(lab: Lab, folder: Path, **changes: object) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    """The run without a person, with the token on the lab's host `ca`; what stands in its record."""
    site = yaml.safe_load(lab.site.read_text())
    site["tokens"]["intermediate"] |= {"via": "ca", **changes}
    runbook = token_steps(lab, folder)
    names = yaml.safe_load(runbook.read_text())["inputs"]
    site["inputs"] = {name: value for name, value in site["inputs"].items() if name in names}
    lab.site.write_text(yaml.safe_dump(site, sort_keys=False))
    done = subprocess.run(
        [PROGRAM, "run", str(runbook), "--site", str(lab.site), "--headless", "--answers", str(lab.sheet)],
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    journals = list(folder.glob("state/hsm-runbook/runs/*/journal.jsonl"))
    return done, list(read_events(journals[0])) if journals else []


@pytest.mark.parametrize("kind", [TokenKind.SOFTHSM, TokenKind.CARD])
def test_stage_a_with_the_token_on_the_ca_s_host(tmp_path: Path, kind: TokenKind) -> None:
    lab = make_lab(tmp_path / "lab", token=kind)
    with CardReader(lab.folder) if kind is TokenKind.CARD else contextlib.nullcontext():
        done, events = walk(lab, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    finished = [event for event in events if isinstance(event, StepFinished)]
    assert len(finished) >= 6
    assert sum(isinstance(event, PinAttempt) for event in events) == 1
    assert [event.accepted for event in events if isinstance(event, PinResult)] == [True]
    assert f"{lab.token.module} on ca" in done.stderr
    if kind is TokenKind.CARD:
        assert "3 of 3" in done.stderr
    pin = yaml.safe_load(lab.sheet.read_text())["pins"]["intermediate"]
    assert pin not in "".join(path.read_text() for path in tmp_path.glob("state/hsm-runbook/runs/*/*.jsonl"))


def test_what_is_missing_there_is_told_with_its_hint(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab", token=TokenKind.SOFTHSM)
    done, _ = walk(lab, tmp_path, module="/nowhere/opensc-pkcs11.so")
    assert done.returncode == 1
    assert "there is no file /nowhere/opensc-pkcs11.so on ca" in done.stdout
    assert "Install the package that provides the module on that host" in done.stdout + done.stderr
