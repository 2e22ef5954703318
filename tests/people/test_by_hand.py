"""docs/approval.md, taken at its word: its commands check an approval, with jq and ssh-keygen alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runbook.operator import SignsHere
from tests.engine.world import Bench, action, stage
from tests.people.keys import Keys
from tests.people.test_second_people import Driver

DOCUMENT = Path(__file__).parents[2] / "docs" / "approval.md"
COMMANDS = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


@pytest.fixture
async def evidence(bench: Bench, keys: Keys, tmp_path: Path) -> Path:
    """A folder with nothing but a journal and the allowed-signers file."""
    bench.operator = Driver(signs=[SignsHere("ben", str(keys.folder / "ben"))])
    bench.site = {"two_people": keys.two_people().model_dump()}
    await bench.walk(stage(action("A1", word="jä", gate={"two_person": True})))
    folder = tmp_path / "evidence"
    folder.mkdir()
    shutil.copy(tmp_path / "run" / "journal.jsonl", folder)
    shutil.copy(keys.allowed, folder)
    return folder


def said(folder: Path) -> list[str]:
    """What each block of commands prints, one shell for all of them; a failure is told in the block's lines."""
    script = "exec 2>&1\n"
    for number, block in enumerate(COMMANDS):
        script += f"echo '=== {number}'\n{block}"
        if number == 0:
            script += "SEQ=$(jq -r 'select(.type==\"approval.given\") | .seq' journal.jsonl)\n"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return re.split(r"=== \d+\n", done.stdout)[1:]


async def test_the_commands_of_the_page(evidence: Path) -> None:
    listed, _, signed, questions, digests, files = said(evidence)
    assert re.fullmatch(r"\d+ A1 ben true\n", listed)
    assert 'Good "approval@hsm-runbook" signature for ben@example.org with ED25519 key SHA256:' in signed
    first, second = questions.splitlines()
    assert first == second
    computed, stated = digests.splitlines()
    assert computed.split()[0] == stated
    recorded, file = files.splitlines()
    assert recorded == f"{file.split()[0]} anna"


@pytest.mark.parametrize(
    ("old", "new", "block"),
    [
        (r"\"witness\":\"ben", r"\"witness\":\"bem", 2),  # the statement, as it was signed
        (r"\"step\":\"A1\"", r"\"step\":\"A2\"", 2),
        ('"word":"jä"', '"word":"jo"', 4),
    ],
)
async def test_what_was_altered_shows(evidence: Path, old: str, new: str, block: int) -> None:
    journal = evidence / "journal.jsonl"
    text = journal.read_text()
    assert old in text
    journal.write_text(text.replace(old, new))
    shown = said(evidence)[block]
    if block == 2:
        assert "Good" not in shown
    else:
        computed, stated = shown.splitlines()
        assert computed.split()[0] != stated
