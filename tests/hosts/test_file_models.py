"""A file that is compared with one of this machine: the same bytes, or all of its lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.hosts.file import FileCheck
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.stand_in import StandIn


async def look(folder: Path, **expect: str) -> Outcome:
    outcome = await StandIn(folder).run(FileCheck, path="there", expect=expect)
    assert outcome.symptom in {"", *FileCheck.symptoms}
    return outcome


async def test_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"root\n\xff")
    (tmp_path / "there").write_bytes(b"root\n\xff")
    assert (await look(tmp_path, same_as="model")).verdict is Verdict.PASSED
    (tmp_path / "there").write_bytes(b"root\n\xfe")
    other = await look(tmp_path, same_as="model")
    assert (other.verdict, other.symptom) == (Verdict.FAILED, "content")


async def test_every_line_among_others(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("ecdsa AAAA+/= a.b(c)\n\n")
    (tmp_path / "there").write_text("ssh-rsa old\necdsa AAAA+/= a.b(c)\r\n")
    assert (await look(tmp_path, lines_of="model")).verdict is Verdict.PASSED
    for without in ("ecdsa AAAA+/= aXb(c)\n", "ecdsa AAAA+/= a.b(c) more\n", "# ecdsa AAAA+/= a.b(c)\n"):
        (tmp_path / "there").write_text(without)
        missing = await look(tmp_path, lines_of="model")
        assert (missing.verdict, missing.symptom) == (Verdict.FAILED, "content")


@pytest.mark.parametrize("content", [None, "", " \n"])
async def test_without_something_to_compare_with_there_is_no_verdict(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "there").write_text("x")
    if content is not None:
        (tmp_path / "model").write_text(content)
    for key in ("same_as", "lines_of"):
        with pytest.raises(StepError) as caught:
            await look(tmp_path, **{key: "model"})
        assert caught.value.symptom == "no model"
