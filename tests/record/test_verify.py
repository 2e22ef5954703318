"""Every change of a journal is found, and the record is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.errors import UsageError
from runbook.record.chain import seal, short_head
from runbook.record.records import fields_of
from runbook.record.verify import Verification, verify
from tests.record.sample import EVENTS, Write, Written

SECOND = Path(__file__).with_name("second_verifier.py")


def _with(written: Written, content: bytes, **options: str) -> Verification:
    written.path.write_bytes(content)
    return verify(written.path, **options)


def _second(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-S", SECOND, path], capture_output=True, text=True, check=False)


async def test_a_journal_as_written_is_intact(write: Write) -> None:
    written = await write(*EVENTS)
    found = verify(written.path)
    assert found.problems == []
    assert (found.records, found.head, found.state.finished) == (len(EVENTS), written.head, "failed")
    assert found.state.rehearsal


async def test_a_record_put_in_from_another_journal_is_found(write: Write, tmp_path: Path) -> None:
    one = await write(*EVENTS)
    other = await write(*EVENTS, folder=tmp_path / "other")
    for place in range(len(EVENTS)):
        lines = one.lines
        lines[place] = other.lines[place]
        found = verify_lines(one, lines)
        assert found.problems[0].line in (place + 1, place + 2)


def verify_lines(written: Written, lines: list[bytes]) -> Verification:
    before = written.path.read_bytes()
    try:
        return _with(written, b"".join(lines))
    finally:
        written.path.write_bytes(before)


async def test_a_cut_tail_is_found_with_the_head_alone(write: Write) -> None:
    written = await write(*EVENTS)
    cut = b"".join(written.lines[:-1])
    assert _with(written, cut).problems == []
    found = _with(written, cut, head=written.head_short)
    assert "no record has the head" in str(found.problems[0])


async def test_a_rewritten_file_is_found_with_the_head_alone(write: Write, tmp_path: Path) -> None:
    real = await write(*EVENTS)
    forged = await write(*EVENTS[:5], *EVENTS[6:], folder=tmp_path / "forged")
    assert verify(forged.path).problems == []
    assert verify(forged.path, real.head_short).problems


async def test_records_added_after_the_head_are_found(write: Write) -> None:
    written = await write(*EVENTS)
    line, _ = seal(len(EVENTS) + 1, written.head, "note", fields_of(EVENTS[14]), "2026-01-01T00:00:00.000000Z")
    content = written.path.read_bytes() + line
    assert _with(written, content).problems == []
    found = _with(written, content, head=written.head_short)
    assert [problem.line for problem in found.problems] == [len(EVENTS)]
    assert "1 more follow" in found.problems[0].what


async def test_a_head_is_read_in_any_spelling(write: Write) -> None:
    written = await write(*EVENTS[:3])
    short = written.head_short
    assert len(short) == 24
    assert short == short_head(written.head)
    for spelling in (short, short.lower(), short.replace(" ", ""), short.replace(" ", ":"), written.head):
        assert verify(written.path, spelling).problems == []
    for wrong in ("3F9A", "Z" * 20, written.head + "0"):
        with pytest.raises(UsageError, match="is not a head"):
            verify(written.path, wrong)


async def test_a_value_can_be_withheld_and_the_rest_still_verifies(write: Write) -> None:
    written = await write(*EVENTS)
    lines = written.lines
    record = json.loads(lines[1])
    del record["open"]["value"]
    lines[1] = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    written.path.write_bytes(b"".join(lines))
    found = verify(written.path, written.head_short)
    assert [str(problem) for problem in found.problems] == [
        "record 2 (line 2): values were taken out: value [input.given]"
    ]
    assert verify(written.path, written.head_short, may_withhold=True).problems == []


async def test_an_empty_file_is_no_journal(write: Write) -> None:
    written = await write(EVENTS[0])
    assert "the file is empty" in str(_with(written, b"").problems[0])


async def test_every_problem_is_listed(write: Write) -> None:
    written = await write(*EVENTS)
    lines = written.lines
    for place in (2, 7):
        lines[place] = lines[place].replace(b'"level":"internal"', b'"level":"public"', 1)
    found = _with(written, b"".join(lines))
    assert [problem.line for problem in found.problems] == [3, 8]
    assert "does not match its digest" in str(found.problems[0])


async def test_a_record_of_a_newer_version_is_intact_and_noted(write: Write) -> None:
    written = await write(EVENTS[0])
    line, _ = seal(2, written.head, "run.paused", {}, "2026-01-01T00:00:00.000000Z")
    found = _with(written, written.path.read_bytes() + line)
    assert found.problems == []
    assert "run.paused" in found.notes[0]


def test_the_second_verifier_is_short_and_of_the_standard_library_alone() -> None:
    text = SECOND.read_text()
    assert len(text.splitlines()) < 100
    imports = [line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert set(imports) <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"at"', b'{ "at"'),
        (b'"v":1}', b'"v":1} '),
        (b'"v":1}', b'"v":1.0}'),
        (b'"v":1}', b'"v":1,"v":1}'),
        (b'"seq":2,', b'"seq":3,"seq":2,'),
        (b'"/mnt/usb"', b'"\\/mnt\\/usb"'),
        (b'"/mnt/usb"', b'"/mnt/us\\u0062"'),
        (b'"v":1}', b'"v":1}\r'),
        (b'"/mnt/usb"', b'"\\ud800"'),
        (b'"/mnt/usb"', b'"\xff"'),
        (b'"/mnt/usb"', b"9007199254740992"),
        (b'"/mnt/usb"', b"[" * 100_000 + b"]" * 100_000),
    ],
)
async def test_the_same_content_in_other_bytes_is_found(write: Write, before: bytes, after: bytes) -> None:
    written = await write(*EVENTS[:3])
    lines = written.lines
    assert before in lines[1]
    lines[1] = lines[1].replace(before, after)
    assert [problem.line for problem in _with(written, b"".join(lines)).problems] == [2]
    assert _second(written.path).returncode == 1
