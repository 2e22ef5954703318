"""Going on with a run that was left: from its journal alone to a session that can be walked (design §8, resume)."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import UsageError
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.paths import JOURNAL_NAME, runs_folder
from runbook.people.people import driver_by_account
from runbook.record.chain import short_head
from runbook.record.events import RunResumed, RunStarted
from runbook.record.journal import Journal
from runbook.record.recovery import Recovered
from runbook.record.runlock import user_name
from runbook.record.runs import WHERE_RUNS_ARE, find_journal, list_runs
from runbook.record.state import RunState
from runbook.record.verify import head_digits, verify
from runbook.run.beginning import TakenUp
from runbook.run.changed_files import Changes
from runbook.run.engine import Engine
from runbook.run.rollback import ROLLED_BACK
from runbook.run.session import Session
from runbook.run.start import Prepared, RecordedWalk, fit
from runbook.secrets import MASK, Redactor
from runbook.version import program_sha256, program_version


@dataclass(frozen=True, slots=True)
class Left:
    """A run that was left, taken up: this process is its driver from here until `journal` is closed."""

    journal: Journal
    found: Recovered
    redactor: Redactor
    head_typed: str = ""
    """The head that was typed from paper; it is one of this record."""
    warnings: tuple[str, ...] = ()

    @property
    def header(self) -> RunStarted:
        return self.found.header


def find_left(name: str | None) -> Path:
    """The folder of the run that a person means; None: the newest that may go on. Raises UsageError."""
    if name is not None:
        path = find_journal(name)
        if path.name != JOURNAL_NAME:
            raise UsageError(
                "a run goes on in its own folder, and this is only a file",
                where=str(path),
                remedy="Give the run's id or its folder; `runbook runs` lists them.",
            )
        return path.absolute().parent
    newest = [run for run in reversed(list_runs()) if run.may_go_on or run.state == "running"]
    if not newest:
        raise UsageError("there is no run to go on with", where=str(runs_folder()), remedy=WHERE_RUNS_ARE)
    return next((run for run in newest if run.state != "running"), newest[0]).folder


async def take_up(
    folder: Path, redactor: Redactor, head: str | None = None, tell: Callable[[str], None] | None = None
) -> Left:
    """Open the run in this folder and become its driver; close `Left.journal` at the end.

    `head`: as it was typed from paper. `tell` is told what has to be waited for (`Journal.open`). Raises JournalError
    where the record is damaged or driven by somebody else, and UsageError where nothing is left to do or the head is
    not that of this record.
    """
    journal, found = await Journal.open(folder, redactor, tell)
    try:
        _require_unfinished(found)
        await asyncio.to_thread(_require_not_rolled_back, folder, found)
        warnings = await asyncio.to_thread(check_head, journal.path, found, head) if head is not None else ()
    except UsageError:
        await journal.close()
        raise
    return Left(journal, found, redactor, " ".join((head or "").split()), warnings)


def check_head(path: Path, found: Recovered, head: str) -> tuple[str, ...]:
    """Raise UsageError unless the record ends with this head, or, in a run that was broken off, went on from it."""
    digits = head_digits(head)
    if found.head.startswith(digits):
        return ()
    last = short_head(found.head)
    later = verify(path, head).records_after
    if later is None:
        raise UsageError(
            f"the head on paper is not one of this record, which ends with {last}",
            where=found.header.run_id,
            remedy="Look at the paper again. If it is typed as it stands, the record was changed, or it is another "
            "run's: do not go on with it.",
        )
    if found.state.finished:
        raise UsageError(
            f"the head on paper is an earlier one: {later} more records follow it, up to {last}, and the run's end",
            where=found.header.run_id,
            remedy="Type the head that was shown when the run ended, or look at what follows: runbook verify --head",
        )
    return (f"the head on paper is an earlier one; {later} more records follow it, up to {last}",)


def _require_unfinished(found: Recovered) -> None:
    if found.state.finished == "green":
        raise UsageError(
            "this run ended green; there is nothing to go on with",
            where=found.header.run_id,
            remedy=f"Begin a new run, or check the record of this one: runbook verify {found.header.run_id}",
        )


def _require_not_rolled_back(folder: Path, found: Recovered) -> None:
    """What was undone cannot be built upon."""
    for run in list_runs(folder.parent):
        if run.run_id == found.header.run_id and run.rolled_back_by:
            raise UsageError(
                f"this run was rolled back, at least in part: {run.rolled_back_by}",
                where=found.header.run_id,
                remedy="Its steps no longer hold. Begin a new run; a roll-back that is not over goes on with "
                f"`runbook resume {run.rolled_back_by}`.",
            )


def read_again(left: Left) -> Prepared:
    """Runbook and site profile as they are now, with the values that were given at the start; blocking.

    Raises UsageError (InvalidDocument with every problem) and EnvironmentLacks.
    """
    header = left.header
    if not header.runbook_path:
        raise UsageError(
            "the record does not say where its runbook is: a version of the program wrote it that could not go on",
            where=header.run_id,
            remedy="Begin a new run.",
        )
    registry = Registry()
    runbook = load_runbook(Path(header.runbook_path), registry)
    given = {name: value for name, (value, source) in left.found.inputs.items() if source in _GIVEN and value}
    site = Path(header.site_path) if header.site_sha256 else None
    return fit(runbook, site, given, header.stages, registry)


_GIVEN = ("set", ROLLED_BACK)
"""Sources of values that are not looked for in the site profile again."""


def go_on(left: Left, prepared: Prepared, changes: Changes) -> Session:
    """A session that goes on where the run was left. Raises UsageError where no step is left to walk.

    What is secret has to be known to `left.redactor`.
    """
    runbook, site, header, state = prepared.runbook, prepared.site, left.header, left.found.state
    _require_steps(prepared.walked, header, state)
    resumed = RunResumed(
        program=f"hsm-runbook {program_version()}",
        program_sha256=program_sha256(),
        runbook_sha256=runbook.sha256,
        site_sha256=site.sha256,
        host=platform.node(),
        operator=user_name(),
        driver=driver_by_account(site.model.two_people) if site.model.two_people else "",
        head_typed=left.head_typed,
        cut=left.found.cut,
        changes=changes.lines,
    )
    taken_up = TakenUp(resumed, state, known_values(left.found), changes.two_people)
    plan = prepared.plan(header)

    async def journal() -> Journal:
        return left.journal

    return Session(
        runbook=prepared.walked,
        runbook_path=runbook.path,
        site=site.model,
        run_id=header.run_id,
        run_folder=left.journal.path.parent,
        stages=header.stages,
        start=lambda operator: RecordedWalk(
            lambda journal: Engine(plan, prepared.registry, operator, journal, left.redactor, taken_up=taken_up),
            journal,
        ),
        history=state,
        told=left.found.told,
        left_at=left.found.at,
        rolls_back=header.rolls_back,
    )


def _require_steps(runbook: Runbook, header: RunStarted, state: RunState) -> None:
    """A run that came to its end is over, also where steps were skipped."""
    steps = [step for stage, step in runbook.steps() if not header.stages or stage.id in header.stages]
    if state.finished and all(state.step(step.id).over for step in steps):
        raise UsageError(
            "every step of this run is green or was skipped; there is nothing to go on with",
            where=header.run_id,
            remedy="Begin a new run.",
        )


def known_values(found: Recovered) -> dict[str, str]:
    """The values on record, without those from which a secret was removed."""
    return {name: value for name, (value, _) in found.inputs.items() if value is not None and MASK not in value}
