"""The shipped runbook in a lab, walked and rolled back: the repository and the hosts are as they were before."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.hosts import HOSTS
from tests.rehearsal.conftest import home, terminal
from tests.rehearsal.program import Terminal, events, journals, runbook

__all__ = ["home", "terminal"]

ANCHOR = "etc/pki/ca-trust/source/anchors/ccat-root-ca.crt"
TRUSTED = "ansible/roles/ca_trust/files"


def git(lab: Path, *arguments: str, folder: str = "system-integration") -> str:
    return subprocess.run(["git", *arguments], cwd=lab / folder, capture_output=True, text=True, check=True).stdout


def started(journal: Path) -> list[str]:
    return [str(event["step"]) for event in events(journal, "step.started")]


def run_id(journal: Path) -> str:
    return journal.parent.name


@pytest.fixture
def lab(home: Path) -> Path:
    """A lab in which the runbook was walked to its end."""
    folder = home / "lab"
    done = runbook("rehearse", "--headless", "--token", "softhsm", "--folder", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_rehearsal_is_rolled_back(home: Path, lab: Path) -> None:
    (run,) = journals(home)
    first = git(lab, "rev-list", "--max-parents=0", "HEAD").strip()
    old = git(lab, "ls-tree", first, f"{TRUSTED}/")
    assert git(lab, "ls-tree", "HEAD", f"{TRUSTED}/") != old
    hosts = {name: lab / "hosts" / host / ANCHOR for name, host in HOSTS.items()}
    root = git(lab, "show", f"{first}:{TRUSTED}/root_ca.crt")
    assert all(path.read_text() != root for path in hosts.values())

    listed = runbook("rollback", "--dry-run").stdout
    assert "C2.provision  The environment file is rendered on the CA's host\n    along with C1.vault" in listed
    assert "git revert --no-edit" in listed
    assert "A2.role" in listed.partition("\nNot undone:\n")[2]
    never = next(line for line in listed.splitlines() if line.startswith("Never done"))
    assert "G3.wipe" in never, "this lab cannot serve it, so nothing is undone there"

    done = runbook("rollback", "--headless")

    assert done.returncode == 0, done.stdout + done.stderr
    assert git(lab, "ls-tree", "HEAD", f"{TRUSTED}/") == old
    assert git(lab, "ls-tree", "main", f"{TRUSTED}/", folder="upstream.git") == old, "and it is pushed"
    assert git(lab, "status", "--short", "--", TRUSTED) == ""
    assert all(path.read_text() == root for path in hosts.values()), "every host trusts the old root again"
    back = next(journal for journal in journals(home) if journal != run)
    assert [header["rolls_back"] for header in events(back, "run.started")] == [run_id(run)]
    assert started(back)[0] == "rollback.list"
    assert started(back).index("B3.commit.undo1") < started(back).index("B2.root.undo"), "the newest first"
    for journal in (run, back):
        verified = runbook("verify", journal)
        assert verified.returncode == 0, verified.stdout + verified.stderr

    again = runbook("rollback", run_id(run), "--headless")
    assert (again.returncode, "nothing of this run is left to undo" in again.stderr) == (2, True)


def test_a_person_at_a_terminal_undoes_the_last_steps_and_the_rest_later(
    lab: Path, home: Path, terminal: Callable[..., Terminal]
) -> None:
    (run,) = journals(home)
    session = terminal("rollback", "--plain")
    session.wait_for(b"Undone, the newest first:")
    session.wait_for(b"rollback.list is next")
    session.process.terminate()
    assert session.process.wait(60) == 3
    (back,) = [journal for journal in journals(home) if journal != run]
    assert started(back) == []

    done = runbook("resume", run_id(back), "--headless")
    assert done.returncode == 0, done.stdout + done.stderr
    marks = {json.loads(line)["type"] for line in back.read_text().splitlines()}
    assert {"run.resumed", "run.finished"} <= marks
    assert runbook("verify", back).returncode == 0
