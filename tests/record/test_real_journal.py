"""Every change of a real record is found: each byte, each record, each place where it can be cut, each attachment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.record import attachments
from runbook.record.events import Attached
from runbook.record.journal import read_events
from runbook.record.verify import Verification, judge, verify, verify_attachments
from tests.record.real import Real


def _judged(real: Real, number: int, changed: bytes) -> Verification:
    """The line that now stands where record `number` was, judged after all the records before it, which are whole."""
    found = Verification(real.path, lines=number - 1, place=(number, real.heads[number - 1]))
    judge(found, changed[: changed.find(b"\n") + 1] or changed)
    return found


def _problems(tmp_path: Path, content: bytes, head: str | None = None) -> list[int]:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    return [problem.line for problem in verify(path, head).problems]


def test_as_written_it_is_intact(real: Real) -> None:
    found = verify(real.path, real.head)
    verify_attachments(found)
    assert (found.problems, found.notes, found.state.finished) == ([], [], "green")
    assert found.records == len(real.lines) > 60
    assert len(found.attached) >= 3
    for number, line in enumerate(real.lines, start=1):
        assert _judged(real, number, line).intact


def test_every_bit_of_every_byte_counts(real: Real) -> None:
    """Judged in the line that holds it; a line feed that becomes something else joins two lines."""
    for number, line in enumerate(real.lines, start=1):
        following = real.lines[number] if number < len(real.lines) else b""
        changed = bytearray(line)
        for place in range(len(line)):
            for bit in range(8):
                changed[place] ^= 1 << bit
                now = bytes(changed) if place < len(line) - 1 else bytes(changed) + following
                assert _judged(real, number, now).problems, f"record {number}, byte {place}, bit {bit}"
                changed[place] ^= 1 << bit


def test_every_byte_removed_or_doubled(real: Real, tmp_path: Path) -> None:
    for number, line in enumerate(real.lines, start=1):
        for place in range(len(line) - 1):
            without, twice = line[:place] + line[place + 1 :], line[: place + 1] + line[place:]
            assert _judged(real, number, without).problems, f"record {number}, without byte {place}"
            assert _judged(real, number, twice).problems, f"record {number}, byte {place} twice"
        before, after = b"".join(real.lines[:number]), b"".join(real.lines[number:])
        assert _problems(tmp_path, before[:-1] + after)[0] == number
        assert _problems(tmp_path, before + b"\n" + after)[0] == number + 1


def test_a_byte_of_each_record_in_the_file_itself(real: Real, tmp_path: Path) -> None:
    """The whole way through the file, with a byte of each record changed in turn: it is named."""
    start = 0
    for number, line in enumerate(real.lines, start=1):
        changed = bytearray(real.content)
        changed[start + len(line) // 2] ^= 4
        assert _problems(tmp_path, bytes(changed))[0] == number
        start += len(line)


def test_every_record_removed_doubled_or_swapped(real: Real, tmp_path: Path) -> None:
    lines = real.lines
    last = len(lines) - 1
    for place in range(len(lines)):
        removed = b"".join([*lines[:place], *lines[place + 1 :]])
        assert _problems(tmp_path, removed, real.head)[0] == (place + 1 if place < last else last)
        doubled = b"".join([*lines[: place + 1], *lines[place:]])
        assert _problems(tmp_path, doubled)[0] == place + 2
        if place < last:
            swapped = b"".join([*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]])
            assert _problems(tmp_path, swapped)[0] == place + 1


def test_cut_at_every_byte(real: Real, tmp_path: Path) -> None:
    """Within a record it is torn, and told as that; between two only the head on paper tells."""
    for number, line in enumerate(real.lines, start=1):
        for size in range(1, len(line)):
            (problem,) = _judged(real, number, line[:size]).problems
            assert f"it is torn: {size} bytes" in problem.what
    start = 0
    for number, line in enumerate(real.lines[:-1], start=1):
        start += len(line)
        assert _problems(tmp_path, real.content[:start]) == []
        assert _problems(tmp_path, real.content[:start], real.head) == [number]
        torn = real.content[: start + len(real.lines[number]) // 2]
        assert _problems(tmp_path, torn)[0] == number + 1
    assert _problems(tmp_path, b"") == [1]


def _attached(real: Real, folder: Path) -> tuple[Path, list[tuple[int, Attached]]]:
    """A copy of the run, and what its record says is attached, with the number of the record."""
    shutil.copytree(real.path.parent, folder)
    events = enumerate(read_events(real.path), start=1)
    return folder / real.path.name, [(number, event) for number, event in events if isinstance(event, Attached)]


def _wrong(path: Path) -> Iterator[tuple[int, str]]:
    found = verify(path)
    verify_attachments(found)
    yield from ((problem.line, problem.what) for problem in found.problems)


def test_every_byte_of_every_attachment(real: Real, tmp_path: Path) -> None:
    path, attached = _attached(real, tmp_path / "run")
    for _, event in attached:
        with attachments.path_of(path.parent, event.sha256).open("r+b", buffering=0) as file:
            content = file.read()
            for place, byte in enumerate(content):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << place % 8]), place)
                assert attachments.wrong(path.parent, event.sha256, event.size), f"{event.name}, byte {place}"
                os.pwrite(file.fileno(), bytes([byte]), place)
    assert list(_wrong(path)) == []


def test_attachments_removed_cut_longer_exchanged_or_added(real: Real, tmp_path: Path) -> None:
    path, attached = _attached(real, tmp_path / "run")
    files = [attachments.path_of(path.parent, event.sha256) for _, event in attached]
    contents = [file.read_bytes() for file in files]
    for index, ((number, event), file, content) in enumerate(zip(attached, files, contents, strict=True)):
        for other in (content[:-1], content + b"\n", b"", contents[index - 1]):
            file.write_bytes(other)
            ((line, what),) = _wrong(path)
            assert line == number
            assert f"`{event.name}`" in what
        file.unlink()
        ((line, what),) = _wrong(path)
        assert (line, "No such file" in what) == (number, True)
        file.write_bytes(content)
    added = attachments.path_of(path.parent, "0" * 64)
    added.write_bytes(b"")
    found = verify(path)
    verify_attachments(found)
    assert found.notes == [f"no record names the file attachments/{added.name}"]


SECOND = Path(__file__).with_name("second_verifier.py")


def _second(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", SECOND, path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_second_verifier_agrees(real: Real) -> None:
    """Written from the format's page, with the standard library alone."""
    done = _second(real.path, verify(real.path).head)
    head, told = done.stdout.splitlines()
    assert (done.returncode, head) == (0, real.head)
    assert f"{len(real.lines)} records" in told
    assert "1 resumed, 1 in doubt" in told
    assert " 0 bytes cut" not in told
    assert "not the head" in _second(real.path, "3F9A 07C1 52DE 88B0 41A6").stderr


def test_a_second_verifier_finds_what_was_changed(real: Real, tmp_path: Path) -> None:
    path, attached = _attached(real, tmp_path / "run")
    start = 0
    for number, line in enumerate(real.lines, start=1):
        if number % 5 == 0:
            changed = bytearray(real.content)
            changed[start + len(line) // 2] ^= 2
            path.write_bytes(changed)
            assert _second(path).stderr.startswith(f"record {number}:")
        start += len(line)
    path.write_bytes(real.content[:-1])
    assert "the last line has no end" in _second(path).stderr
    path.write_bytes(real.content)
    assert _second(path).returncode == 0
    for number, event in attached:
        file = attachments.path_of(path.parent, event.sha256)
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        done = _second(path)
        assert (done.returncode, done.stderr.startswith(f"record {number}:")) == (1, True)
        file.write_bytes(content)


@pytest.mark.parametrize("change", ["flipped", "attachment"])
def test_the_command_names_what_was_changed(real: Real, tmp_path: Path, change: str) -> None:
    path, attached = _attached(real, tmp_path / "run")
    if change == "flipped":
        path.write_bytes(real.content.replace(b'"step.settled"', b'"step.sEttled"'))
    else:
        attachments.path_of(path.parent, attached[0][1].sha256).unlink()
    command = [sys.executable, "-m", "runbook", "verify", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "CHANGED  record" in done.stdout
    assert "not the one that was written: 1 problem" in done.stdout
