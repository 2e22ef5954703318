"""What a run leaves beside its journal: the files that drove it, and what its steps attach."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.record.attachments import RUNBOOK, SITE, load, names, path_of
from runbook.record.events import Attached, RunStarted
from runbook.record.journal import read_events
from runbook.version import program_sha256, versions

RUNBOOK_TEXT = """\
runbook: 1
id: loud
title: A command that says much
stages:
  - id: A
    title: A
    steps:
      - id: A1
        title: Say much
        check: command
        run: [sh, -c, 'seq 1 60000; echo done >&2']
        expect: {stdout: '^59999$'}
"""
SITE_TEXT = "site: 1\nname: here\n"


def _runbook(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runbook", *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that is over."""
    (tmp_path / "runbook.yaml").write_text(RUNBOOK_TEXT)
    (tmp_path / "site.yaml").write_text(SITE_TEXT)
    (tmp_path / "answers.yaml").write_text("answers: 1\n")
    done = _runbook(tmp_path, "run", "runbook.yaml", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 0, done.stderr
    (journal,) = tmp_path.glob("state/*/runs/*/journal.jsonl")
    return journal.parent


def _attached(run: Path) -> dict[str, Attached]:
    return {event.name: event for event in read_events(run / "journal.jsonl") if isinstance(event, Attached)}


def test_the_header_names_the_program_and_the_files_are_kept(run: Path) -> None:
    header = next(iter(read_events(run / "journal.jsonl")))
    assert isinstance(header, RunStarted)
    assert header.program_sha256 == program_sha256()
    assert header.versions == versions()
    attached = _attached(run)
    assert attached[RUNBOOK].sha256 == header.runbook_sha256 == hashlib.sha256(RUNBOOK_TEXT.encode()).hexdigest()
    assert attached[SITE].sha256 == header.site_sha256
    assert load(run, attached[RUNBOOK].sha256) == RUNBOOK_TEXT.encode()
    assert load(run, attached[SITE].sha256) == SITE_TEXT.encode()


def test_output_too_long_for_the_evidence_is_attached_whole(run: Path) -> None:
    attached = _attached(run)["stdout"]
    assert attached.step == "A1"
    assert load(run, attached.sha256).decode().splitlines() == [str(number) for number in range(1, 60001)]
    journal = (run / "journal.jsonl").read_text()
    assert f"in the attachment {attached.sha256}" in journal
    assert "stderr" not in _attached(run)


def test_verify_checks_each_attachment(run: Path, tmp_path: Path) -> None:
    assert _runbook(tmp_path, "verify", "last").returncode == 0
    attached = _attached(run)["stdout"]
    path = path_of(run, attached.sha256)
    content = path.read_bytes()
    for changed in (content[:-1], content + b"x", b"X" + content[1:]):
        path.write_bytes(changed)
        done = _runbook(tmp_path, "verify", "last")
        assert done.returncode == 1
        assert f"the attachment `stdout` of A1, {attached.sha256}: its bytes are not those" in done.stdout
    path.unlink()
    assert "No such file" in _runbook(tmp_path, "verify", "last").stdout


def test_verify_lists_the_files_that_no_record_names(run: Path, tmp_path: Path) -> None:
    (run / "attachments" / "stray").write_bytes(b"")
    done = _runbook(tmp_path, "verify", "last")
    assert done.returncode == 0
    assert "no record names the file attachments/stray" in done.stdout
    assert set(names(run)) == {"stray", *(event.sha256 for event in _attached(run).values())}
