"""What a drill made wrong is put right from a second terminal while the drill goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from rehearsal.card.client import CardControl
from rehearsal.card.faults import FaultKind
from rehearsal.faults import Fault
from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.smartcard import CardPlaces
from rehearsal.token import TokenKind
from runbook.errors import UsageError
from tests.rehearsal.program import runbook


def _slots(lab: Lab) -> str:
    done = subprocess.run(
        ["pkcs11-tool", "--module", str(lab.token.module), "--list-slots"],
        env={**os.environ, **lab.token.environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("fault", [Fault.CARD_PULLED, Fault.CARD_SWAPPED, Fault.READER_MISSING, Fault.TOKEN_BUSY])
def test_the_card_is_there_again(tmp_path: Path, fault: Fault) -> None:
    lab = make_lab(tmp_path / "lab", fault, token=TokenKind.CARD)
    with CardReader(lab.folder, fault):
        control = CardControl(CardPlaces(lab.folder).control)
        if fault is Fault.CARD_PULLED:
            asyncio.run(control.pull())
        if fault is Fault.CARD_SWAPPED:
            asyncio.run(control.pull())
            asyncio.run(control.insert(CardPlaces(lab.folder).other))
        assert lab.token.serial not in _slots(lab)

        done = runbook("rehearse", "--mend", lab.folder)
        assert done.returncode == 0, done.stderr
        assert lab.token.serial in _slots(lab)


def test_a_silent_card_answers_again(tmp_path: Path) -> None:
    lab = make_lab(tmp_path / "lab", Fault.CARD_SILENT, token=TokenKind.CARD)
    with CardReader(lab.folder, Fault.CARD_SILENT):
        control = CardControl(CardPlaces(lab.folder).control)
        before = asyncio.run(control.fault(FaultKind.SILENT)).apdus
        with subprocess.Popen(
            ["opensc-tool", "--serial"], env={**os.environ, **lab.token.environment}, stdout=subprocess.DEVNULL
        ) as waiting:
            asyncio.run(control.wait_until(lambda status: status.apdus > before))
            assert runbook("rehearse", "--mend", lab.folder).returncode == 0
            assert waiting.wait(30) is not None
        assert lab.token.serial in _slots(lab)


def test_a_lab_that_is_in_no_reader_cannot_be_mended(tmp_path: Path) -> None:
    done = runbook("rehearse", "--mend", tmp_path)
    assert done.returncode == UsageError.exit_code
    assert "no card of this lab is in a reader" in done.stderr
