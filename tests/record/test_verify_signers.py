"""`runbook verify --signers` on a real record: every approval is judged again, by the keys of a file."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.event import Level
from runbook.record.chain import START, seal, unseal
from runbook.record.records import Value
from tests.people.keys import keygen
from tests.record.real import Real

Changed = Callable[[dict[str, Any]], None]


def _verify(run: Path | str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runbook", "verify", str(run), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _forged(real: Real, folder: Path, change: Changed, of: str = "approval.given") -> Path:
    """The record with the first `of` changed and all from there on written anew: its chain is whole."""
    folder.mkdir()
    shutil.copytree(real.path.parent / "attachments", folder / "attachments")
    lines: list[bytes] = []
    head, changed = START, False
    for line in real.lines:
        record = unseal(line[:-1])
        head = record.prev if not changed else head
        if record.type == of and not changed:
            changed = True
            fields = record.fields
            change(fields)
        elif changed:
            fields = record.fields
        else:
            lines.append(line)
            continue
        new, head = seal(
            record.seq, head, record.type, {name: Value(Level.INTERNAL, fields[name]) for name in fields}, record.at
        )
        lines.append(new)
    path = folder / "journal.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def _signers(real: Real, folder: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """The rehearsal's file of allowed signers, changed: its lines are those of driver and witness."""
    path = folder / "allowed_signers"
    path.write_text("\n".join(change(real.signers.read_text().splitlines())) + "\n")
    return path


def _of(lines: list[str], who: str) -> str:
    return next(line for line in lines if line.startswith(who))


def test_what_was_approved_holds(real: Real) -> None:
    done = _verify(real.path, "--signers", real.signers, "--head", real.head)
    assert done.returncode == 0
    assert "approval C.seal by witness, SHA256:" in done.stdout
    assert "at the driver's keyboard" in done.stdout
    assert "REFUSED" not in done.stdout
    assert "Intact, and it ends with the head on paper" in done.stdout


def _other_key(lines: list[str], folder: Path) -> list[str]:
    keygen("-q", "-t", "ed25519", "-N", "", "-f", folder / "other")
    key = " ".join((folder / "other.pub").read_text().split()[:2])
    return [_of(lines, "driver"), f"witness@rehearsal.invalid {key}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_key, "is unknown: allowed_signers does not list it"),
        (lambda lines, _: [_of(lines, "driver")], "is unknown: allowed_signers does not list it"),
        (lambda lines, _: [_of(lines, "driver"), _expired(_of(lines, "witness"))], "expired"),
        (lambda lines, _: [*lines, _of(lines, "witness").replace("witness@", "driver@", 1)], "driver"),
        (lambda lines, _: [*lines, "# a line more"], "not the one that the run had"),
    ],
    ids=["unknown key", "nobody", "expired", "the driver's own", "another file"],
)
def test_a_file_that_does_not_say_so(
    real: Real, tmp_path: Path, change: Callable[[list[str], Path], list[str]], message: str
) -> None:
    signers = _signers(real, tmp_path, lambda lines: change(lines, tmp_path))
    done = _verify(real.path, "--signers", signers)
    assert done.returncode == 1
    (refused,) = [line for line in done.stdout.splitlines() if line.startswith("REFUSED")]
    assert message in refused
    assert "approvals in it do not hold: 1 problem" in done.stdout
    assert "Traceback" not in done.stderr


def _expired(line: str) -> str:
    principal, rest = line.split(maxsplit=1)
    if rest.startswith("namespaces="):
        options, key = rest.split(maxsplit=1)
        return f'{principal} {options},valid-before="20200101" {key}'
    return f'{principal} valid-before="20200101" {rest}'


def _statement(**changes: str) -> Changed:
    def change(fields: dict[str, Any]) -> None:
        said = {**json.loads(fields["statement"]), **changes}
        fields["statement"] = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    return change


@pytest.mark.parametrize(
    ("change", "of"),
    [
        (_statement(step="B.begin"), "approval.given"),
        (_statement(signed_at="2026-01-01T00:00:00.000000Z"), "approval.given"),
        (_statement(nonce="0" * 32), "approval.given"),
        (lambda fields: fields.update(step="B.begin"), "approval.given"),
        (lambda fields: fields.update(witness="driver"), "approval.given"),
        (lambda fields: fields.update(signature=fields["signature"].replace("A", "B", 1)), "approval.given"),
        (lambda fields: fields.update(signature=""), "approval.given"),
        (lambda fields: fields.update(statement="{}"), "approval.given"),
        (lambda fields: fields.update(what=["true"]), "approval.asked"),
        (lambda fields: fields.update(params={"run": ["true"]}), "approval.asked"),
        (lambda fields: fields.update(witnesses=["driver"]), "people.named"),
    ],
)
def test_an_approval_that_was_altered(real: Real, tmp_path: Path, change: Changed, of: str) -> None:
    """By somebody who wrote all records from there on anew: the chain holds, and the signature does not."""
    path = _forged(real, tmp_path / "forged", change, of)
    assert _verify(path).returncode == 0
    done = _verify(path, "--signers", real.signers)
    assert done.returncode == 1, done.stdout
    assert "REFUSED" in done.stdout
    assert "CHANGED" not in done.stdout
    assert "Traceback" not in done.stderr
    assert _verify(path, "--signers", real.signers, "--head", real.head).returncode == 1


def test_written_anew_without_a_change_only_the_head_tells(real: Real, tmp_path: Path) -> None:
    """That a forgery above is refused is due to what was altered, not to how it is written."""
    path = _forged(real, tmp_path / "forged", lambda fields: None)
    assert _verify(path, "--signers", real.signers).returncode == 0
    assert "no record has the head" in _verify(path, "--signers", real.signers, "--head", real.head).stdout


def test_a_damaged_record_is_told_before_its_approvals(real: Real, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(real.content.replace(b'"approval.given"', b'"approval.taken"'))
    done = _verify(path, "--signers", real.signers)
    assert done.returncode == 1
    assert "CHANGED" in done.stdout
    assert "approval C.seal" not in done.stdout


def test_a_file_that_is_none(real: Real, tmp_path: Path) -> None:
    for name in (tmp_path / "nowhere", tmp_path):
        done = _verify(real.path, "--signers", name)
        assert done.returncode == 2
        assert shlex.quote(str(name)) in done.stderr
        assert "Name an allowed-signers file" in done.stderr
    (tmp_path / "text").write_bytes(b"\xff\x00 what is no such file\n")
    done = _verify(real.path, "--signers", tmp_path / "text")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "REFUSED" in done.stdout
