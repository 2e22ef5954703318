"""A witness with an account of their own: what the group is let to, and what it is not."""

from __future__ import annotations

import grp
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.record.events import NoteAdded
from runbook.record.gate_events import ApprovalGiven, WitnessJoined
from runbook.record.journal import read_events
from tests.cli.bench import Bench, Terminal
from tests.people.keys import Keys
from tests.people.other_account import ACCOUNT, as_other, interpreter
from tests.people.test_witness_command import SITE, asking, journal_of, lay_out

GROUP = grp.getgrnam("games").gr_gid if os.geteuid() == 0 else os.getegid()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-people-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shared(open_folder: Path, keys: Keys) -> Bench:
    """The driver's place; Ben's key lies where his account can read it."""
    shutil.copytree(keys.folder, open_folder / "keys")
    group = grp.getgrgid(GROUP).gr_name
    site = SITE.replace("  minutes: 2\n", f"  minutes: 2\n  group: {group}\n")
    return lay_out(open_folder, site.replace("ben: {", f"ben: {{accounts: [{ACCOUNT}], "))


@pytest.fixture
def own_key(open_folder: Path, keys: Keys) -> Path:
    """Ben's key, in a folder of his account."""
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    shutil.copy(keys.folder / "ben", home / "key")
    (home / "key").chmod(0o600)
    give = ["chown", "-R", f"{ACCOUNT}:{GROUP}", str(home)]
    subprocess.run(give if os.geteuid() == 0 else ["sudo", "-n", *give], check=True)
    return home / "key"


def mode(path: Path) -> str:
    info = path.stat()
    return f"{stat.S_IMODE(info.st_mode):o} {grp.getgrgid(info.st_gid).gr_name}"


def test_approved_from_another_account(shared: Bench, own_key: Path) -> None:
    python = interpreter(GROUP)
    with asking(shared) as run:
        argv = [python, "-m", "runbook", "witness", "--plain", "--state", str(shared.state), "--key", str(own_key)]
        env = {**shared.env, "HOME": str(own_key.parent), "XDG_STATE_HOME": str(own_key.parent)}
        with Terminal(as_other(GROUP, argv), Path("/"), env) as witness:
            witness.until("Then: approve, or no and the reason.")
            witness.type("note from my own account\n")
            witness.until("by ben: from my own account")
            witness.type("approve\n")
            witness.until("The run has ended: green")
            assert witness.end() == 0
        assert run.wait(20) == 0
    events = list(read_events(journal_of(shared)))
    (joined,) = [event for event in events if isinstance(event, WitnessJoined)]
    assert joined.account == "ben", "the account is his alone, so it needs no mention"
    (given,) = [event for event in events if isinstance(event, ApprovalGiven)]
    assert (given.witness, given.account, given.at_keyboard) == ("ben", ACCOUNT, False)
    assert [event.by for event in events if isinstance(event, NoteAdded)] == ["ben"]


def test_what_the_group_may_and_what_not(shared: Bench) -> None:
    group = grp.getgrgid(GROUP).gr_name
    with asking(shared):
        journal = journal_of(shared)
        run = journal.parent
        assert mode(run) == f"2750 {group}"
        assert mode(journal) == f"640 {group}"
        assert mode(run / "driver.lock") == f"640 {group}"
        assert mode(run / "approvals") == f"3770 {group}"
        assert mode(run / "attachments") == f"2710 {group}"

        def can(*argv: str, group_id: int = GROUP) -> bool:
            return subprocess.run(as_other(group_id, argv), capture_output=True, check=False).returncode == 0

        assert can("test", "-r", str(journal))
        assert not can("test", "-w", str(journal))
        assert not can("touch", str(run / "x"))
        assert not can("ls", str(run / "attachments"))
        assert can("touch", str(run / "approvals" / "x.json"))
        assert not can("test", "-r", str(journal), group_id=65534), "another group sees nothing"
        readable = [path for path in (run / "attachments").iterdir() if can("test", "-r", str(path))]
        assert [path.read_text() for path in readable] == [(shared.folder / "runbook.yaml").read_text()]


def test_a_record_is_for_its_account_alone_where_no_group_is_named(tmp_path: Path, keys: Keys) -> None:
    with asking(lay_out(tmp_path, SITE)) as _:
        run = next(tmp_path.glob("state/hsm-runbook/runs/*"))
        assert stat.S_IMODE(run.stat().st_mode) == 0o700
        assert stat.S_IMODE((run / "approvals").stat().st_mode) == 0o700
        assert stat.S_IMODE((run / "journal.jsonl").stat().st_mode) == 0o600
