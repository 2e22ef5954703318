"""`runbook witness` on a pseudo-terminal beside a run without a person: two processes, one record."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runbook.people.inbox import account_name
from runbook.record.events import NoteAdded
from runbook.record.gate_events import ApprovalGiven
from runbook.record.journal import read_events
from tests.cli.bench import Bench
from tests.people.keys import Keys

RUNBOOK = """\
runbook: 1
id: two
title: Two people
roles: [driver, witness]
stages:
  - id: A
    title: First
    steps:
      - id: A.write
        title: Write the file
        action: command
        run: [touch, done]
        probe: {check: command, run: [test, -f, done]}
        gate: {two_person: true}
"""

SITE = """\
site: 1
name: here
two_people:
  allowed_signers: keys/allowed_signers
  minutes: 2
  people:
    anna: {principal: anna@example.org, may: [drive]}
    ben: {principal: ben@example.org}
    carl: {principal: carl@example.org, may: [drive]}
"""


def lay_out(folder: Path, site: str = SITE) -> Bench:
    """The runbook, the site profile and the answers, in a folder with `keys/`."""
    bench = Bench(folder)
    (folder / "runbook.yaml").write_text(RUNBOOK)
    (folder / "site.yaml").write_text(site)
    (folder / "answers.yaml").write_text("answers: 1\ndriver: anna\n")
    return bench


@pytest.fixture
def place(tmp_path: Path, keys: Keys) -> Bench:
    return lay_out(tmp_path)


def journal_of(place: Bench) -> Path:
    (path,) = place.journals
    return path


@contextmanager
def asking(place: Bench) -> Iterator[subprocess.Popen[str]]:
    """A run without a person, from when it asks for an approval; it is killed at the end."""
    run = place.start("run", "--headless", "--answers", "answers.yaml")
    try:
        assert run.stderr is not None
        assert any("is asked to approve" in line for line in run.stderr)
        yield run
    finally:
        run.kill()
        run.communicate()


def test_approved_in_a_session_of_their_own(place: Bench) -> None:
    with asking(place) as run:
        with place.terminal("witness", "--plain", "--as", "ben", "--key", "keys/ben") as witness:
            shown = witness.until("Then: approve, or no and the reason.")
            assert "will be done" in shown
            assert "touch done" in shown
            witness.type("note the door is closed\n")
            witness.until("by ben (account")
            witness.type("approve\n")
            witness.until("APPROVED by ben in a session of their own")
            witness.until("The run has ended: green")
            assert witness.end() == 0
        assert run.wait(20) == 0
    events = list(read_events(journal_of(place)))
    (given,) = [event for event in events if isinstance(event, ApprovalGiven)]
    assert (given.witness, given.at_keyboard, given.account) == ("ben", False, account_name())
    assert [event.text for event in events if isinstance(event, NoteAdded)] == ["the door is closed"]
    assert (place.folder / "done").exists()


def test_a_witness_looks_around_in_lines(place: Bench) -> None:
    with asking(place), place.terminal("witness", "--plain", "--as", "ben", "--key", "keys/ben") as witness:
        witness.until("Then: approve, or no and the reason.")
        for line, said in (
            ("steps", " green"),
            ("show", "what it does, exactly:"),
            ("facts", "Facts:"),
            ("journal", "a second person is asked to approve it"),
            ("find touch", "touch"),
            ("help witness", "The second person"),
            ("copy head", " "),
            ("asked", "APPROVAL ASKED"),
            ("help", "find TEXT"),
            ("walrus", "approve KEY"),
        ):
            witness.type(f"{line}\n")
            witness.until(line)
            witness.until(said)
        witness.type("quit\n")
        assert witness.end() == 3
