"""The program itself, started as a person starts it: a real step-ca is asked, and no secret is left anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from runbook.outcome import Verdict
from runbook.record.events import StepFinished
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.ca.step_ca_lab import PASSWORD, SIX, URL, StepCa
from tests.cli.bench import Bench

RUNBOOK = """\
runbook: 1
id: proofs
title: A CA proves itself
inputs:
  fingerprint: {type: sha256, ask: 'Which root?', source: paper}
  trust: {type: path, ask: 'Where is the root?', source: site}
  intermediate: {type: path, ask: 'Where is the intermediate?', source: site}
  connect: {type: string, ask: 'Where is the CA?', source: site}
stages:
  - id: G
    title: Proofs
    steps:
      - id: G7.health
        title: Health
        check: https
        url: URL/health
        connect: '{{ connect }}'
        trust: '{{ trust }}'
        expect: [{at: status, equals: ok}]
      - id: G6.six
        title: Six
        check: ca.provisioners
        url: URL
        connect: '{{ connect }}'
        trust: '{{ trust }}'
        expect: SIX
      - id: G8.certificate
        title: A certificate
        check: ca.certificate
        url: URL
        connect: '{{ connect }}'
        trust: '{{ trust }}'
        provisioner: prod-services
        root: '{{ trust }}'
        intermediate: '{{ intermediate }}'
        hints: [{when: wrong password, likely: It was mistyped, try: Read it again}]
      - id: H1.bootstrap
        title: Bootstrap
        check: ca.bootstrap
        url: URL
        connect: '{{ connect }}'
        fingerprint: '{{ fingerprint }}'
"""


class Program:
    """A folder with the runbook, a site and answers."""

    def __init__(self, folder: Path, ca: StepCa, password: str) -> None:
        self.bench = Bench(folder)
        runbook = RUNBOOK.replace("SIX", json.dumps(list(SIX))).replace("URL", URL)
        (folder / "runbook.yaml").write_text(runbook)
        inputs = {"trust": str(ca.root_file), "intermediate": str(ca.intermediate_file), "connect": ca.connect}
        (folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here", "inputs": inputs}))
        answers = {"inputs": {"fingerprint": ca.root.fingerprint}, "secrets": {"G8.certificate": password}}
        self.answers = folder / "answers.yaml"
        self.answers.write_text(yaml.safe_dump({"answers": 1, **answers}))
        self.answers.chmod(0o600)

    def run(self) -> tuple[int, str]:
        done = self.bench("run", "runbook.yaml", "--site", "site.yaml", "--answers", "answers.yaml", "--headless")
        return done.returncode, done.stdout + done.stderr

    def outcomes(self) -> dict[str, tuple[Verdict, str]]:
        events = read_events(self.bench.journals[-1])
        finished = [event for event in events if isinstance(event, StepFinished)]
        return {event.step: (event.outcome.verdict, event.outcome.symptom) for event in finished}

    def kept(self) -> bytes:
        """Everything that the run has left."""
        return b"\n".join(path.read_bytes() for path in self.bench.state.rglob("*") if path.is_file())


def test_everything_is_proved_and_no_secret_is_left(step_ca: StepCa, tmp_path: Path) -> None:
    program = Program(tmp_path, step_ca, PASSWORD)
    status, said = program.run()
    assert status == 0, said
    assert set(program.outcomes().values()) == {(Verdict.PASSED, "")}
    assert len(program.outcomes()) == 4
    verify(program.bench.journals[-1])
    kept = program.kept()
    assert b"BEGIN CERTIFICATE" in kept
    for text in (kept, said.encode()):
        assert PASSWORD.encode() not in text
        assert b"PRIVATE KEY" not in text
        assert not re.search(rb"eyJ[\w-]{10,}\.[\w-]+\.[\w-]+", text), "a token or an encrypted key"
        assert step_ca.jwk.as_dict(private=True)["d"].encode() not in text  # type: ignore[union-attr]


@pytest.mark.parametrize("typed", ["mistyped otter of 7 bridges", "x"])
def test_a_wrong_password_stops_with_its_hint(step_ca: StepCa, tmp_path: Path, typed: str) -> None:
    program = Program(tmp_path, step_ca, typed)
    status, said = program.run()
    assert status == 1
    assert program.outcomes()["G8.certificate"] == (Verdict.ERRORED, "wrong password")
    assert "It was mistyped" in said
    if len(typed) > 4:
        assert typed.encode() not in program.kept() + said.encode()
