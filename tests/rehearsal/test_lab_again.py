"""A lab that outlived its program is used again as it was left, and goes when nothing is left to do in it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal import mark, stay, turn
from rehearsal.again import lab_of
from rehearsal.card.client import CardControl
from rehearsal.card.errors import ReaderUnavailable
from rehearsal.card.state import read
from rehearsal.faults import Fault
from rehearsal.lab import Lab, make_lab
from rehearsal.mending import put_right
from rehearsal.reader import CardReader
from rehearsal.smartcard import CardPlaces
from rehearsal.swap import swap
from rehearsal.token import TokenKind
from runbook.errors import EnvironmentLacks
from runbook.paths import runs_folder
from runbook.record.events import RunFinished, RunStarted
from runbook.record.journal import Journal
from runbook.secrets import Redactor
from tests.rehearsal.program import processes_of

BOTH = pytest.mark.parametrize("token", list(TokenKind))
ENDINGS = pytest.mark.parametrize(
    ("state", "stays"), [("green", False), ("failed", True), ("stopped", True), ("", True)]
)


def slots(lab: Lab) -> str:
    done = subprocess.run(
        ["pkcs11-tool", "--module", str(lab.token.module), "--list-slots"],
        env={**os.environ, **lab.token.environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


async def record(lab: Lab, state: str, run_id: str = "r1") -> None:
    """A run in the lab that ended so; empty: it was killed."""
    header = RunStarted(
        *(run_id, "t", "T", "00" * 32, "lab", "00" * 32, "hsm-runbook 0", "host", "me"),
        rehearsal=True,
        site_path=str(lab.site),
    )
    journal = await Journal.create(runs_folder() / run_id, Redactor())
    await journal.append(header)
    if state:
        await journal.append(RunFinished(state))
    await journal.close()


@BOTH
def test_the_token_is_there_again(home: Path, token: TokenKind) -> None:
    lab = make_lab(token=token)
    with lab_of(lab.site) as again:
        assert again is not None
        assert again.sheet == lab.sheet
        assert lab.token.serial in slots(lab)
    assert processes_of(home) == []
    assert not lab.folder.exists(), "no run in it is open"


@ENDINGS
def test_a_lab_stays_while_a_run_in_it_can_go_on(
    home: Path, capfd: pytest.CaptureFixture[str], state: str, stays: bool
) -> None:
    lab = make_lab()
    asyncio.run(record(lab, state))
    with lab_of(lab.site):
        pass

    assert lab.folder.exists() == stays
    said = capfd.readouterr().err
    assert (f"rm -r {lab.folder}" in said) == stays
    assert ("runbook resume r1" in said) == stays


def test_a_run_in_another_lab_keeps_none(home: Path) -> None:
    lab, other = make_lab(), make_lab()
    asyncio.run(record(other, "stopped"))
    with lab_of(lab.site):
        pass

    assert not lab.folder.exists()
    assert stay.unfinished(other.folder) == ["r1"]


def test_a_lab_that_is_to_be_kept_stays_in_any_case(home: Path) -> None:
    lab = make_lab(home / "lab", kept=True)
    with lab_of(lab.site):
        pass

    assert lab.site.is_file()


def test_a_program_that_is_killed_leaves_the_lab_and_its_reader_can_be_had_at_once(home: Path) -> None:
    lab = make_lab(token=TokenKind.CARD)
    holds = "import sys; from pathlib import Path; from rehearsal.again import lab_of\n"
    holds += "with lab_of(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    program = subprocess.Popen([sys.executable, "-c", holds, str(lab.site)], stdin=-1, stdout=-1, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "held\n"

    program.kill()
    program.communicate()
    with lab_of(lab.site):
        assert lab.token.serial in slots(lab)
    assert processes_of(home) == []


def test_a_card_that_is_served_already_is_used_there(home: Path) -> None:
    lab = make_lab(home / "lab", token=TokenKind.CARD, kept=True)
    with CardReader(lab.folder, standing=True):
        with lab_of(lab.site):
            assert lab.token.serial in slots(lab)
        assert lab.token.serial in slots(lab), "the end of the second use ends nothing of the first"


def test_a_card_has_one_reader(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "_DEADLINE", 0.1)
    lab = make_lab(home / "lab", token=TokenKind.CARD, kept=True)
    with CardReader(lab.folder), turn.alone(CardPlaces(lab.folder)) as second:
        with pytest.raises(ReaderUnavailable, match="reader of another program"):
            asyncio.run(second.taken(standing=False))
        with pytest.raises(ReaderUnavailable, match="reader of another program"):
            asyncio.run(second.taken(standing=True))


class TestDrills:
    """What was wrong stays wrong until it is put right, and then it stays right."""

    @staticmethod
    @contextlib.contextmanager
    def drill(home: Path, fault: Fault) -> Iterator[Lab]:
        lab = make_lab(home / "lab", fault, token=TokenKind.CARD, kept=True)
        with CardReader(lab.folder, fault):
            yield lab

    def test_a_reader_that_is_missing(self, home: Path) -> None:
        with self.drill(home, Fault.READER_MISSING) as lab:
            assert lab.token.serial not in slots(lab)
        with lab_of(lab.site):
            assert lab.token.serial not in slots(lab)
            put_right(lab.folder)
            assert lab.token.serial in slots(lab)
        with lab_of(lab.site):
            assert lab.token.serial in slots(lab)

    def test_a_card_that_was_exchanged(self, home: Path) -> None:
        with self.drill(home, Fault.CARD_SWAPPED) as lab:
            assert self.serial(lab) == lab.token.serial
            asyncio.run(swap(CardPlaces(lab.folder)))
        with lab_of(lab.site):
            assert self.serial(lab) == read(CardPlaces(lab.folder).other).serial
            put_right(lab.folder)
            assert self.serial(lab) == lab.token.serial
        with lab_of(lab.site):
            assert self.serial(lab) == lab.token.serial

    @staticmethod
    def serial(lab: Lab) -> str:
        return asyncio.run(CardControl(CardPlaces(lab.folder).control).status()).serial


@BOTH
def test_a_lab_that_is_gone_is_said_to_be(home: Path, token: TokenKind) -> None:
    lab = make_lab(token=token)
    lab.remove()
    with pytest.raises(EnvironmentLacks, match="the lab of this rehearsal is gone"), lab_of(lab.site):
        pass


@BOTH
@pytest.mark.parametrize("part", ["site.yaml", "paper-sheet.yaml", "token"])
def test_a_lab_that_lost_a_part_is_said_to_have(home: Path, token: TokenKind, part: str) -> None:
    lab = make_lab(home / "lab", token=token)
    if part == "token":
        part = "intermediate.card" if token is TokenKind.CARD else "hsm"
    next(lab.folder.rglob(part)).rename(home / "elsewhere")
    with pytest.raises(EnvironmentLacks, match=f"parts of the lab .* {part}"), lab_of(lab.site):
        pass
    assert lab.folder.is_dir(), "nothing is removed that a person may want to look at"


def test_a_site_profile_that_is_no_labs_needs_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: 1\nname: real\n")
    with lab_of(site) as lab:
        assert lab is None
    assert site.is_file()


def test_a_mark_that_cannot_be_read_is_no_reason_to_remove_anything(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab")
    (lab.folder / mark.NAME).write_text('{"token": "abacus"}')
    with pytest.raises(EnvironmentLacks, match="cannot be read"), lab_of(lab.site):
        pass
    assert lab.site.is_file()
