"""The program itself, started as a person starts it, with a runbook whose steps are on hosts of the SSH lab."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from runbook.outcome import Verdict
from runbook.record.events import StepFinished
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.cli.bench import Bench
from tests.ssh_lab.client import Client
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD

SECRET = "what stands in the file"

RUNBOOK = """\
runbook: 1
id: on-hosts
title: Steps on hosts
stages:
  - id: A
    title: Hosts
    steps:
      - {id: A.who, title: Who is there, check: command, run: [hostname], on: alpha, expect: {stdout: ['^alpha$']}}
      - {id: A.root, title: Root, check: command, run: [id, -u], on: beta, sudo: true, expect: {stdout: ['^0$']}}
      - {id: A.files, title: Files, check: file, path: /etc/hostname, on: [jump, beta-ops], expect: {present: true}}
      - {id: A.port, title: Port, check: port, address: 198.19.0.3, port: 22, on: alpha, expect: open}
      - {id: A.unit, title: Unit, check: systemd, unit: nothing.service, on: alpha, expect: {present: false}}
      - {id: A.secret, title: Secret, check: secret_file, path: /srv/secret, on: beta-ops, sudo: true, ask: 'Which?'}
      - {id: A.copy, title: Copy, action: copy, source: source.txt, target: /tmp/copied, on: beta-far}
"""

ONE_STEP = """\
runbook: 1
id: one-step
title: One step
stages:
  - id: A
    title: One
    steps:
      - {{id: A.one, title: One, {step}}}
"""


def one(step: str) -> str:
    return ONE_STEP.format(step=step)


class Program:
    """A folder with a runbook, the lab's site profile, and answers."""

    def __init__(self, folder: Path, client: Client, runbook: str, **answers: object) -> None:
        self.bench = Bench(folder)
        site = client.site().model_dump(mode="json", exclude_defaults=True)
        (folder / "runbook.yaml").write_text(runbook)
        (folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, **site}))
        (folder / "source.txt").write_text("to be copied\n")
        answered = folder / "answers.yaml"
        answered.write_text(yaml.safe_dump({"answers": 1, **answers}))
        answered.chmod(0o600)

    def outcomes(self) -> Mapping[str, tuple[Verdict, str]]:
        """Of the last run: each step's verdict and symptom."""
        events = read_events(self.bench.journals[-1])
        return {
            event.step: (event.outcome.verdict, event.outcome.symptom)
            for event in events
            if isinstance(event, StepFinished)
        }

    def kept(self, text: str) -> list[Path]:
        """The files of the run that hold a text."""
        files = [path for path in self.bench.state.rglob("*") if path.is_file()]
        return [path for path in files if text.encode() in path.read_bytes()]


@pytest.fixture
def secret(ssh_lab: Lab):  # type: ignore[no-untyped-def]
    ssh_lab.beta.write("/srv/secret", SECRET, mode=0o600)
    yield
    ssh_lab.beta.remove("/srv/secret")
    ssh_lab.beta.remove("/tmp/copied")


GREEN = dict.fromkeys(("A.who", "A.root", "A.files", "A.port", "A.unit", "A.secret", "A.copy"), (Verdict.PASSED, ""))


@pytest.mark.usefixtures("secret")
def test_a_runbook_of_hosts_without_anybody_there(ssh_lab: Lab, tmp_path: Path) -> None:
    program = Program(tmp_path, ssh_lab.client(), RUNBOOK, secrets={"A.root": PASSWORD, "A.secret": SECRET})
    done = program.bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert program.outcomes() == GREEN
    assert ssh_lab.beta.read("/tmp/copied") == "to be copied\n"
    assert verify(program.bench.journals[0]).intact
    for typed in (PASSWORD, SECRET, json.dumps(PASSWORD)):
        assert not program.kept(typed)
        assert typed not in done.stdout + done.stderr


def test_a_password_typed_at_the_plain_console(ssh_lab: Lab, tmp_path: Path) -> None:
    step = "check: command, run: [id, -u], on: beta, sudo: true, expect: {stdout: ['^0$']}"
    program = Program(tmp_path, ssh_lab.client(), one(step))
    with program.bench.terminal("run", "--plain") as terminal:
        terminal.answer("Number (empty: 1): ", "")
        terminal.until("Password for sudo on beta")
        terminal.until_prompt()
        assert not terminal.echoes()
        terminal.type("a wrong one\n")
        terminal.until("sudo did not accept the password", 60)
        terminal.answer("Number: ", "1")
        terminal.until("Password for sudo on beta")
        terminal.until_prompt()
        terminal.type(PASSWORD + "\n")
        terminal.until("PASSED", 60)
        terminal.answer("A.one tried again. Is it so? [y/N]: ", "y")
        assert terminal.end() == 0
        assert PASSWORD not in terminal.shown
        assert "a wrong one" not in terminal.shown
    assert program.outcomes()["A.one"] == (Verdict.PASSED, "")
    assert not program.kept(PASSWORD)
    assert not program.kept("a wrong one")


SUDO = {
    "deploy": (Verdict.PASSED, ""),
    "ops": (Verdict.PASSED, ""),
    "lectured": (Verdict.PASSED, ""),
    "noisy": (Verdict.PASSED, ""),
    "plain": (Verdict.PASSED, ""),
    "root": (Verdict.PASSED, ""),
    "guest": (Verdict.ERRORED, "sudo refused"),
    "limited": (Verdict.ERRORED, "sudo refused"),
    "ttyonly": (Verdict.ERRORED, "sudo refused"),
    "silent": (Verdict.ERRORED, "sudo silent"),
    "closed": (Verdict.ERRORED, "command refused"),
}


@pytest.mark.parametrize("machine", ["alpha", "beta"])
@pytest.mark.parametrize("account", SUDO)
def test_sudo_as_each_account(ssh_lab: Lab, tmp_path: Path, account: str, machine: str) -> None:
    """`alpha` is reached by the system's ssh, `beta` by paramiko."""
    step = f"check: command, run: [id, -u], on: {machine}-{account}, sudo: true, expect: {{stdout: ['^0$']}}"
    program = Program(tmp_path, ssh_lab.client(), one(step), secrets={"A.one": PASSWORD})
    done = program.bench("run", "--headless", "--answers", "answers.yaml")
    assert program.outcomes() == {"A.one": SUDO[account]}, done.stdout + done.stderr
    assert done.returncode == (0 if SUDO[account][0] is Verdict.PASSED else 1)
    assert not program.kept(PASSWORD)


@pytest.mark.parametrize(("role", "verdict"), [("check", Verdict.ERRORED), ("action", Verdict.IN_DOUBT)])
def test_the_line_cut_while_the_program_runs(ssh_lab: Lab, tmp_path: Path, role: str, verdict: Verdict) -> None:
    program = Program(tmp_path, ssh_lab.client(), one(f"{role}: command, run: [sleep, '85001'], on: beta"))
    process = program.bench.start("run", "--headless", "--answers", "answers.yaml")
    ssh_lab.beta.until("sleep 85001", running=True)
    with ssh_lab.beta.sshd_killed():
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert program.outcomes() == {"A.one": (verdict, "line lost")}, out + err
    assert "may still" in out + err, "the process on the host is told about"
    ssh_lab.beta.until("sleep 85001", running=False)
    assert verify(program.bench.journals[0]).intact
