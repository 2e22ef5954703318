"""A procedure that makes files, and can take most of them back; its runs and roll-backs by the real program."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

from runbook.event import Event
from runbook.record import events as ev
from runbook.record.journal import read_events
from runbook.record.state import fold
from tests.cli.bench import Bench

RUNBOOK = """\
runbook: 1
id: make
title: Files are made
inputs:
  word: {type: string, ask: 'Which word?', source: paper, pattern: '[a-z]+'}
stages:
  - id: A
    title: First
    steps:
      - id: A.told
        title: Everybody is told
        attest: Everybody was told
        backout: ['Tell everybody that it was {taken} back']
      - id: A.one
        title: One is made
        action: command
        run: [cp, word, 'one-{{ word }}']
        probe: {check: command, run: [test, -e, 'one-{{ word }}']}
        backout:
          - action: command
            title: One goes
            run: [mv, 'one-{{ word }}', gone]
            probe: {check: command, run: [test, '!', -e, 'one-{{ word }}']}
          - action: command
            title: What is left of one goes
            run: [rm, gone]
          - stays: Who has seen one has seen it
      - id: A.forever
        title: Forever is made
        action: command
        run: [touch, forever]
        irreversible: true
        gate: {confirm: 'Make forever?'}
        probe: {check: command, run: [test, -e, forever]}
        backout: [{stays: Nothing removes forever}]
      - id: A.noted
        title: A note is made
        action: command
        run: [touch, note]
  - id: B
    title: Second
    steps:
      - id: B.two
        title: Two is made
        action: command
        run: [touch, two]
        irreversible: true
        gate: {phrase: 'MAKE TWO'}
        probe: {check: command, run: [test, -e, two]}
        backout:
          - action: command
            title: Two goes
            run: [rm, two]
      - id: B.inside
        title: Two is filled
        action: command
        run: [cp, word, two]
        backout: [{undone_by: B.two}]
      - id: B.three
        title: Three is made
        action: command
        run: [sh, -c, '{three}']
        probe: {check: command, run: [test, -e, three]}
        backout:
          - action: command
            title: Three goes
            run: [sh, -c, '{undo_three}']
            probe: {check: command, run: [test, '!', -e, three]}
      - id: B.four
        title: Four is made
        action: command
        run: [touch, four]
        backout:
          - action: command
            title: Four goes
            run: [rm, four]
          - check: command
            title: Four is gone
            run: [test, '!', -e, four]
"""

ANSWERS = """\
answers: 1
inputs: {word: hello}
attest: all
phrases: all
confirm:
  A.forever: true
  A.one.undo1: true
  A.one.undo2: true
  B.two.undo: true
  B.three.undo: true
  B.four.undo1: true
"""

FAILS = "exit 1"
"""A third step that ends without having done anything."""

HANGS = "touch three; echo $$ > pid; while :; do sleep 0.1; done"
"""One that does its work, says so, and does not end."""


class Undo:
    """The bench of one test."""

    def __init__(self, bench: Bench, *, three: str = "touch three", undo_three: str = "rm three") -> None:
        self.bench = bench
        self.folder = bench.folder
        text = RUNBOOK.replace("{three}", three).replace("{undo_three}", undo_three)
        (self.folder / "runbook.yaml").write_text(text)
        (self.folder / "site.yaml").unlink()
        (self.folder / "answers.yaml").write_text(ANSWERS)
        (self.folder / "word").write_text("word")
        self.before = self.files

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} - {"state", "answers.yaml", "runbook.yaml", "pid"}

    @property
    def made(self) -> set[str]:
        """The files that were not there before."""
        return self.files - self.before

    def run(self) -> str:
        """Walk the runbook as far as it comes; the run's id."""
        self.headless("run")
        return self.newest

    def rollback(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.headless("rollback", *arguments)

    def resume(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.headless("resume", *arguments)

    def headless(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.bench(*arguments, "--headless", "--answers", "answers.yaml")

    def answer(self, old: str, new: str) -> None:
        text = (self.folder / "answers.yaml").read_text()
        assert old in text
        (self.folder / "answers.yaml").write_text(text.replace(old, new))

    def killed(self, *arguments: str, at: str) -> str:
        """Start it, and kill it once it has begun with this step and the step has done its work; the run's id."""
        known = set(self.bench.journals)
        program = self.bench.start(*arguments, "--headless", "--answers", "answers.yaml")
        until = time.monotonic() + 60
        while not (self.folder / "pid").exists() or at not in self.started(self.newest):
            assert program.poll() is None, program.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)
        program.send_signal(signal.SIGKILL)
        program.communicate(timeout=60)
        (self.folder / "pid").unlink()
        (journal,) = set(self.bench.journals) - known
        return journal.parent.name

    @property
    def newest(self) -> str:
        found = self.bench("runs", "--json")
        runs = json.loads(found.stdout)
        return str(runs[-1]["run_id"]) if runs else ""

    def journal(self, run_id: str) -> Path:
        return self.bench.state / "hsm-runbook" / "runs" / run_id / "journal.jsonl"

    def events(self, run_id: str) -> list[Event]:
        return list(read_events(self.journal(run_id))) if run_id else []

    def started(self, run_id: str) -> list[str]:
        """The steps that were begun, in order."""
        return [event.step for event in self.events(run_id) if isinstance(event, ev.StepStarted)]

    def ending(self, run_id: str) -> str:
        return fold(self.events(run_id)).finished

    def intact(self, *run_ids: str) -> bool:
        return all(self.bench("verify", run_id).returncode == 0 for run_id in run_ids)
