"""From a run on record to a session that undoes it, and back into one that was left (docs/rollback.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import dropwhile, takewhile
from pathlib import Path

from runbook.errors import UsageError
from runbook.paths import JOURNAL_NAME, runs_folder
from runbook.record.chain import short_head
from runbook.record.journal import Journal, read_events
from runbook.record.recovery import Recovered, recover
from runbook.record.runs import WHERE_RUNS_ARE, RunSummary, find_journal, has_undone, list_runs
from runbook.record.state import RunState, fold
from runbook.run.changed_files import changes_of, require_unchanged
from runbook.run.resuming import Left, check_head, known_values, read_again
from runbook.run.rollback import Rollback, roll_back, values_of
from runbook.run.start import Prepared
from runbook.secrets import Redactor


def find_done(name: str | None) -> Path:
    """The folder of the run to be rolled back; None: the newest that is no roll-back itself. Raises UsageError."""
    if name is not None:
        path = find_journal(name)
        if path.name != JOURNAL_NAME:
            raise UsageError(
                "a run is rolled back from its own folder, and this is only a file",
                where=str(path),
                remedy="Give the run's id or its folder; `runbook runs` lists them.",
            )
        return path.absolute().parent
    runs = [run for run in list_runs() if not run.rolls_back]
    if not runs:
        raise UsageError("there is no run to roll back", where=str(runs_folder()), remedy=WHERE_RUNS_ARE)
    return runs[-1].folder


async def take_up(
    folder: Path, redactor: Redactor, head: str | None = None, tell: Callable[[str], None] | None = None
) -> Left:
    """Open the run of this folder, so that nobody goes on with it; close `Left.journal` once its roll-back has begun.

    Nothing is written to it. `head`: as it was typed from paper. Raises JournalError where the record is damaged or the
    run is being driven, UsageError where it is a roll-back itself, another one of it is not over, or the head is not
    that of this record.
    """
    journal, found = await Journal.open(folder, redactor, tell)
    try:
        _require_rollable(folder, found)
        warnings = await asyncio.to_thread(check_head, journal.path, found, head) if head is not None else ()
    except UsageError:
        await journal.close()
        raise
    return Left(journal, found, redactor, warnings=warnings)


def _require_rollable(folder: Path, found: Recovered) -> None:
    if found.header.rolls_back:
        raise UsageError(
            f"this run is a roll-back, of {found.header.rolls_back}",
            where=found.header.run_id,
            remedy="What it undid is done again by a new run of the runbook.",
        )
    for run in _rollbacks(folder, found.header.run_id):
        if not run.over:
            raise UsageError(
                f"a roll-back of this run has begun and is not over: {run.run_id}",
                where=found.header.run_id,
                remedy=f"Go on with it: runbook resume {run.run_id}",
            )


def prepare(left: Left) -> Prepared:
    """The roll-back of this run, by the files that drove it; blocking. Raises UsageError, EnvironmentLacks."""
    prepared = read_again(left)
    remedy = "Put the files back as they were; how they were lies beside the journal, in `attachments`."
    require_unchanged(left, changes_of(left, prepared), accept=False, remedy=remedy)
    folder = left.journal.path.parent
    made = roll_back(
        prepared.runbook.model, left.found, [_state(run) for run in _rollbacks(folder, left.header.run_id)]
    )
    _require_ways(made)
    values = {**prepared.values, **values_of(left.found.inputs, known_values(left.found))}
    return replace(prepared, values=values, stages=(), rollback=made)


def again(left: Left, prepared: Prepared) -> Prepared:
    """A roll-back that was left, as it was when it began. Raises UsageError where its run has gone on since."""
    header = left.header
    folder = left.journal.path.parent.with_name(header.rolls_back)
    path = folder / JOURNAL_NAME
    try:
        with path.open("rb") as file:
            found = recover(file, path)
    except OSError as error:
        raise UsageError(
            f"the record of the run that is rolled back cannot be read: {error.strerror}", where=str(path)
        ) from error
    if found.head != header.rolls_back_head:
        raise UsageError(
            f"the run {header.rolls_back} has gone on since: its head was {short_head(header.rolls_back_head)} and is "
            f"{short_head(found.head)}",
            where=header.run_id,
            remedy=f"Begin another roll-back: runbook rollback {header.rolls_back}",
        )
    runs = _rollbacks(folder, header.rolls_back)
    earlier = list(takewhile(lambda run: run.run_id != header.run_id, runs))
    return replace(prepared, rollback=roll_back(prepared.runbook.model, found, [_state(run) for run in earlier]))


def later_runs(left: Left) -> tuple[str, ...]:
    """The runs of the same runbook at the same site that came after this one."""
    header = left.header
    runs = dropwhile(lambda run: run.run_id != header.run_id, list_runs(left.journal.path.parent.parent))
    same = [run for run in runs if (run.runbook, run.site_path) == (header.runbook_id, header.site_path)]
    return tuple(run.run_id for run in same[1:] if not run.rolls_back)


def _require_ways(made: Rollback) -> None:
    if any(one.ways for one in made.steps):
        return
    stays = "".join(f"\n    {one.step.id}: {reason}" for one in made.steps for reason in one.stays)
    said = f"nothing of this run is left to undo; what stays:{stays}" if stays else "there is nothing to undo"
    before = f"Undone before: {', '.join(made.before)}." if made.before else ""
    raise UsageError(said, where=made.run_id, remedy=before)


def _rollbacks(folder: Path, run_id: str) -> list[RunSummary]:
    """The roll-backs of the run that have undone something, the oldest first."""
    return [run for run in list_runs(folder.parent) if run.rolls_back == run_id and has_undone(run.folder)]


def _state(run: RunSummary) -> RunState:
    return fold(read_events(run.folder / JOURNAL_NAME))
