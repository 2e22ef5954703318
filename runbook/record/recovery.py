"""A journal read back whole: what a run that goes on, or is looked at, needs to know of what was."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import SEEK_END
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from msgspec.structs import replace

from runbook.errors import JournalError
from runbook.event import Event
from runbook.record.chain import START, BrokenRecord, Record, follows, unseal
from runbook.record.events import InputGiven, RunStarted, StepFinished
from runbook.record.records import UnreadableRecord, event_of
from runbook.record.state import RunState, apply
from runbook.record.told import KEPT, UNFOLDED, Told


@dataclass(frozen=True, slots=True)
class Recovered:
    """All that a journal says; every record in it has been verified."""

    header: RunStarted
    state: RunState
    inputs: Mapping[str, tuple[str | None, str]]
    """The value last given to each input (None: secret) and its source (`InputGiven.source`)."""
    head: str
    """The hash of the last whole record, 64 hex digits."""
    events_count: int
    size: int
    """Bytes of the whole records."""
    cut: int
    """Bytes after the last whole record: a line that was torn while it was written."""
    at: str
    """When the last whole record was written, RFC 3339 in UTC."""
    told: Told = field(default_factory=Told)
    """What was done, in words."""


def recover(file: BinaryIO, path: Path) -> Recovered:
    """Read and verify a journal from its first byte; one record is in memory at a time.

    Of what is only told, the records that are told again are taken apart, and of evidence that of the last attempt at
    each step: in a long journal the rest is much of the work, and nobody could look at it.

    Raises JournalError naming the first record that is not the one that was written, or that this version cannot
    read, and where there is no record at all; OSError from the disk.
    """
    state, head, size, count, cut, at = RunState(), START, 0, 0, 0, ""
    header: RunStarted | None = None
    inputs: dict[str, tuple[str | None, str]] = {}
    told = Told()
    last: deque[int] = deque(maxlen=KEPT)
    """Where the records begin that are told again."""
    ended: dict[str, int] = {}
    """Where the record begins of how a step's last attempt ended."""
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            cut = len(line)
            break
        record = _next(line, number, head, path)
        if record.type not in UNFOLDED:
            event = _event(record, path, raw=True)
            state = apply(state, event)
            told.follow(event, record.at)
            if isinstance(event, StepFinished):
                ended[event.step] = size
            elif isinstance(event, RunStarted):
                header = header or event
            elif isinstance(event, InputGiven):
                inputs[event.name] = (event.value, event.source)
        last.append(size)
        head, size, count, at = record.hash, size + len(line), number, record.at
    if header is None:
        raise JournalError(
            "the record does not begin with the start of a run" if count else "nothing was recorded before the end",
            where=str(path),
            remedy="`runbook verify` says what is wrong." if count else "Nothing was done either; start a new run.",
        )
    told.dropped = count - len(last)
    state = _with_evidence(file, ended, state, path)
    _tell(file, last, told, path)
    return Recovered(header, state, inputs, head, count, size, cut, at, told)


def _next(line: bytes, number: int, head: str, path: Path) -> Record:
    try:
        record = unseal(line[:-1])
        follows(record, number, head)
    except BrokenRecord as error:
        raise damaged(path, number, error) from error
    return record


def _event(record: Record, path: Path, *, raw: bool = False) -> Event:
    try:
        return event_of(record.type, record.fields, raw=raw)
    except BrokenRecord as error:
        raise damaged(path, record.seq, error) from error
    except UnreadableRecord as error:
        raise JournalError(f"record {record.seq}: {error.what}", where=str(path), remedy=error.remedy) from error


def _with_evidence(file: BinaryIO, ended: Mapping[str, int], state: RunState, path: Path) -> RunState:
    """The state with what was found by each step's last attempt, where that has ended."""
    steps = dict(state.steps)
    for step_id, place in ended.items():
        step = steps[step_id]
        if step.outcome is not None:
            file.seek(place)
            event = cast(StepFinished, _event(unseal(file.readline()[:-1]), path))
            steps[step_id] = replace(step, outcome=event.outcome)
    return replace(state, steps=steps)


def _tell(file: BinaryIO, places: Sequence[int], told: Told, path: Path) -> None:
    """Tell the last records once more: to put all of a long journal into words would double the time to read it."""
    file.seek(places[0])
    for line in islice(file, len(places)):
        record = unseal(line[:-1])
        told.tell(_event(record, path), record.at)
    file.seek(0, SEEK_END)


def damaged(path: Path, number: int, error: BrokenRecord) -> JournalError:
    """The error for record `number` that is not the one that was written."""
    return JournalError(
        f"record {number}: {error}", where=f"{path}:{number}", remedy="`runbook verify` lists all that is wrong."
    )
