"""Verification of a journal: every changed, removed, reordered or added byte before the head (docs/journal.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runbook.errors import UsageError
from runbook.record import attachments
from runbook.record.chain import SHORT, START, BrokenRecord, Record, follows, short_head, spelled, unseal
from runbook.record.events import Attached
from runbook.record.records import UnreadableRecord, event_of
from runbook.record.state import RunState, apply
from runbook.text import clean_line


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    line: int
    """The line of the file, which is also the number the record there should have."""
    what: str

    def __str__(self) -> str:
        return f"record {self.line} (line {self.line}): {self.what}"


@dataclass(slots=True)
class Verification:
    """What was found out about a journal."""

    path: Path
    records: int = 0
    """Whole lines read."""
    head: str = START
    """The hash of the last record that could be read."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no proof of a change."""
    state: RunState = field(default_factory=RunState)
    attached: list[tuple[int, Attached]] = field(default_factory=list)
    """What the record says is stored beside it, and the line that says so."""
    head_given: bool = False
    records_after: int | None = None
    """How many records follow the one whose head was given; None: there is none with it."""
    lines: int = 0
    """Lines judged, also those that could not be read."""
    place: tuple[int, str] | None = (1, START)
    """The number that the next record has to have, and the hash before it; None after a line that could not be read."""

    @property
    def intact(self) -> bool:
        return not self.problems


def verify(path: Path, head: str | None = None, *, may_withhold: bool = False) -> Verification:
    """Check the journal at `path`, and that it ends with the head on paper where one is given.

    `head` is a short head or a longer part of the hash, in any spelling of hex. `may_withhold`: values may be
    missing as long as their digests are there. Raises UsageError for an unusable head, also an empty one; OSError from
    the disk.
    """
    wanted = head_digits(head) if head is not None else ""
    found = Verification(path, head_given=bool(wanted))
    at = 0
    with path.open("rb") as file:
        for line in file:
            record = judge(found, line, may_withhold=may_withhold)
            if wanted and record and record.hash.startswith(wanted):
                at = found.lines
    if not found.lines:
        found.problems.append(Problem(1, "the file is empty: a record of the start of the run should be here"))
    if wanted:
        _compare(found, wanted, at)
    return found


def judge(found: Verification, line: bytes, *, may_withhold: bool = False) -> Record | None:
    """Check one more line, with its line feed, and add to `found`; the record, where it is one."""
    found.lines += 1
    place, found.place = found.place, None
    record = _line(found, line)
    if record is None:
        return None
    found.place = (record.seq + 1, record.hash)
    if place:
        try:
            follows(record, *place)
        except BrokenRecord as error:
            found.problems.append(Problem(found.lines, f"{error} [{clean_line(record.type)}]"))
    if record.withheld and not may_withhold:
        names = ", ".join(clean_line(name) for name in record.withheld)
        found.problems.append(Problem(found.lines, f"values were taken out: {names} [{clean_line(record.type)}]"))
    found.head = record.hash
    _apply(found, record)
    return record


def verify_attachments(found: Verification) -> None:
    """Check that each attachment the record names lies beside the journal as it was stored, and note what it names not.

    Adds to `found`; raises OSError where the folder cannot be read.
    """
    folder = found.path.parent
    judged: dict[tuple[str, int], str] = {}
    for line, attached in found.attached:
        key = (attached.sha256, attached.size)
        if key not in judged:
            judged[key] = attachments.wrong(folder, *key)
        if judged[key]:
            of = f" of {clean_line(attached.step)}" if attached.step else ""
            what = f"the attachment `{clean_line(attached.name)}`{of}, {clean_line(attached.sha256)}: {judged[key]}"
            found.problems.append(Problem(line, what))
    named = {attached.sha256 for _, attached in found.attached}
    for name in attachments.names(folder):
        if name not in named:
            found.notes.append(f"no record names the file {attachments.FOLDER}/{clean_line(name)}")


def _line(found: Verification, line: bytes) -> Record | None:
    """The record of a line, taken for itself."""
    if not line.endswith(b"\n"):
        what = f"it is torn: {len(line)} bytes without an end (the program was killed while it wrote, or it was cut)"
        found.problems.append(Problem(found.lines, what))
        return None
    found.records += 1
    try:
        record = unseal(line[:-1])
        spelled(line[:-1])
    except BrokenRecord as error:
        found.problems.append(Problem(found.lines, str(error)))
        return None
    return record


def _apply(found: Verification, record: Record) -> None:
    try:
        event = event_of(record.type, record.fields)
        found.state = apply(found.state, event)
        if isinstance(event, Attached):
            found.attached.append((found.lines, event))
    except BrokenRecord as error:
        found.problems.append(Problem(found.lines, str(error)))
    except UnreadableRecord as error:
        found.notes.append(f"record {found.lines} is as it was written, but {clean_line(str(error.what))}")


def _compare(found: Verification, wanted: str, at: int) -> None:
    """Whether the record that has the head on paper, in line `at` (0: there is none), is the last one."""
    if not at:
        what = (
            f"no record has the head {short_head(wanted)}: the file was cut or rewritten, or the head is another run's"
        )
        found.problems.append(Problem(found.lines or 1, what))
        return
    found.records_after = found.lines - at
    if found.records_after:
        what = (
            f"the head {short_head(wanted)} is this record's, and {found.records_after} more follow it: right if it "
            "was written down before the end; otherwise they were added"
        )
        found.problems.append(Problem(at, what))


def head_digits(head: str) -> str:
    """The hex digits of a head as people write it; raises UsageError."""
    digits = "".join(char for char in head if char not in " :-.\t").lower()
    if not SHORT <= len(digits) <= 64 or any(char not in "0123456789abcdef" for char in digits):
        raise UsageError(
            f"`{clean_line(head)}` is not a head",
            remedy=f"A head has {SHORT} hex digits (or the whole 64), for example 3F9A 07C1 52DE 88B0 41A6.",
        )
    return digits
