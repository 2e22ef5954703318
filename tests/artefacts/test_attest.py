"""What only a person can say."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.attest import Attest, AttestParams
from checks.evidence.files import Statements
from runbook.outcome import Outcome, Verdict
from tests.stand_in import Person, StandIn

THREE = ("The door is closed", "People were told", "The paper is here")


async def attest(folder: Path, *confirms: bool) -> Outcome:
    return await StandIn(folder, operator=Person(confirms=confirms)).run(Attest, statements=THREE)


async def test_all_confirmed(tmp_path: Path) -> None:
    outcome = await attest(tmp_path, True, True, True)
    assert outcome.verdict is Verdict.PASSED
    said = outcome.evidence[0]
    assert isinstance(said, Statements)
    assert said.confirmed == (True, True, True)
    assert said.by == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("confirms", [(), (True,), (True, True), (False, True, True), (True, True, True, False)])
async def test_any_other_answer(tmp_path: Path, confirms: tuple[bool, ...]) -> None:
    outcome = await attest(tmp_path, *confirms)
    refused = [statement for at, statement in enumerate(THREE) if confirms[at : at + 1] != (True,)]
    assert outcome.verdict is (Verdict.FAILED if refused else Verdict.PASSED)
    assert all(statement in outcome.summary for statement in refused)
    assert outcome.symptom == ("not confirmed" if refused else "")


@pytest.mark.parametrize("statements", [[], [""], "a line"])
def test_there_is_always_something_to_confirm(statements: Any) -> None:
    with pytest.raises(ValidationError):
        AttestParams(statements=statements)
