"""The runs on record: their list, and the one a person means."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runbook.errors import UsageError
from runbook.paths import APPLICATION, JOURNAL_NAME, runs_folder
from runbook.record.events import RunFinished, RunStarted, StepStarted
from runbook.record.runlock import holder
from runbook.text import clean_line

ROLLBACK_LIST = "rollback.list"
"""The first step of a roll-back, which undoes nothing: it says what is undone, and what cannot be."""

_TAIL = 64 * 1024
"""Bytes read from the end of a journal to find its last record, which is short."""


WHERE_RUNS_ARE = (
    "`runbook runs` lists the runs and their states. The record of a run is in the account that drove it, below its "
    "$XDG_STATE_HOME; where it is gone, nothing tells what was done: look at the machines first."
)
"""What to do where a run that should be there is not."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as its record says, unverified."""

    run_id: str
    folder: Path
    started: str
    """RFC 3339 in UTC."""
    state: str
    """`green`, `failed`, `stopped`, `running` (a driver holds it), `unfinished` or `unreadable`."""
    runbook: str
    title: str
    operator: str
    rehearsal: bool
    site_path: str = ""
    """The site profile's file when it was started; empty where the record does not say."""
    over: bool = False
    """Nothing is left to walk: it is green, or all that is not was skipped."""
    rolls_back: str = ""
    """The run whose steps it undoes; empty: it is no roll-back."""
    rolled_back_by: str = ""
    """The newest roll-back that has begun to undo its steps; empty: there is none."""

    @property
    def may_go_on(self) -> bool:
        """Whether steps are left to walk, and nobody drives it."""
        return self.state in ("unfinished", "stopped", "failed") and not self.over and not self.rolled_back_by


def list_runs(folder: Path | None = None) -> list[RunSummary]:
    """Every run in the folder (None: of this account), the oldest first."""
    folder = folder or runs_folder()
    if not folder.is_dir():
        return []
    runs = sorted(
        (_summary(path.parent) for path in folder.glob(f"*/{JOURNAL_NAME}")), key=lambda run: (run.started, run.run_id)
    )
    undone = {run.rolls_back: run.run_id for run in runs if run.rolls_back and has_undone(run.folder)}
    return [replace(run, rolled_back_by=undone.get(run.run_id, "")) for run in runs]


def unfinished(runbook_id: str, site: Path) -> list[RunSummary]:
    """The runs of this runbook with this site profile that may go on and that nobody drives, the newest first."""
    place = str(site.absolute())
    return [
        run for run in reversed(list_runs()) if run.may_go_on and run.runbook == runbook_id and run.site_path == place
    ]


def has_undone(folder: Path) -> bool:
    """Whether the roll-back of this folder has begun with a step that undoes something, as its record says."""
    with contextlib.suppress(OSError), (folder / JOURNAL_NAME).open("rb") as file:
        for line in file:
            if StepStarted.type.encode() in line:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    if _values(json.loads(line), StepStarted.type)["step"] != ROLLBACK_LIST:
                        return True
    return False


def find_journal(name: str, folder: Path | None = None) -> Path:
    """The journal that a person means by a run id, the beginning of one, `last`, a folder or a file.

    Ids are looked for in `folder` (None: this account's runs). Raises UsageError with suggestions.
    """
    place = folder or runs_folder()
    path = Path(name)
    if path.is_file():
        return path
    if (path / JOURNAL_NAME).is_file():
        return path / JOURNAL_NAME
    known = [run.run_id for run in list_runs(place)]
    if name == "last" and known:
        return place / known[-1] / JOURNAL_NAME
    meant = [run_id for run_id in known if run_id == name] or [run_id for run_id in known if run_id.startswith(name)]
    if len(meant) == 1:
        return place / meant[0] / JOURNAL_NAME
    if meant:
        raise UsageError(f"`{clean_line(name)}` may mean {_some(meant)}", remedy="Give more of the run's id.")
    folders = (path, place / name)
    if left := next((folder for folder in folders if folder.is_dir()), None):
        raise UsageError(
            f"this folder holds no {JOURNAL_NAME}, so it is no record of a run",
            where=clean_line(str(left)),
            remedy=f"Name the folder of one run, or its id; `runbook runs` lists those in {place}.",
        )
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    raise UsageError(
        f"there is no run and no file `{clean_line(name)}`",
        where=str(place),
        remedy=f"Did you mean {_some(close)}?" if close else WHERE_RUNS_ARE,
    )


def runs_of(state: Path) -> Path:
    """The folder of runs in somebody's state folder, by any name a person has for that; raises UsageError."""
    for place in (state / "runs", state / APPLICATION / "runs", state):
        if place.is_dir():
            return place
    raise UsageError("there is no such folder, or this account may not look into it", where=clean_line(str(state)))


def being_driven(folder: Path | None = None) -> Path:
    """The journal of the one run that is being driven in `folder` (None: of this account); raises UsageError."""
    runs = [run for run in list_runs(folder) if run.state == "running"]
    if len(runs) == 1:
        return runs[0].folder / JOURNAL_NAME
    place = clean_line(str(folder or runs_folder()))
    if not runs:
        raise UsageError("no run is being driven", where=place, remedy="Name the run or its folder, or give --state.")
    raise UsageError(f"several runs are being driven: {_some([run.run_id for run in runs])}", remedy="Name one.")


def _some(run_ids: list[str]) -> str:
    return ", ".join(clean_line(run_id) for run_id in run_ids[:5]) + (" or others" if len(run_ids) > 5 else "")


def _summary(folder: Path) -> RunSummary:
    path = folder / JOURNAL_NAME
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline())
            file.seek(max(0, path.stat().st_size - _TAIL))
            end = _end(file.read())
        header = _values(first, RunStarted.type)
    except (OSError, ValueError, KeyError, TypeError):
        state = "running" if holder(folder) else "unreadable"
        return RunSummary(clean_line(folder.name), folder, "", state, "", "", "", False)
    return RunSummary(
        run_id=clean_line(folder.name),
        folder=folder,
        started=clean_line(str(first["at"])),
        state="running" if holder(folder) else clean_line(str(end.get("state", "unfinished"))),
        runbook=clean_line(str(header.get("runbook_id", ""))),
        title=clean_line(str(header.get("runbook_title", ""))),
        operator=clean_line(str(header.get("operator", ""))),
        rehearsal=header.get("rehearsal") is True,
        site_path=str(header.get("site_path", "")),
        over=end.get("state") == "green" or end.get("over") is True,
        rolls_back=clean_line(str(header.get("rolls_back", ""))),
    )


def _end(tail: bytes) -> dict[str, Any]:
    """What the last record says where it is the end of the run; empty: it is not."""
    try:
        return _values(json.loads(tail.splitlines()[-1]), RunFinished.type)
    except (ValueError, KeyError, TypeError, IndexError):
        return {}


def _values(record: Any, type_: str) -> dict[str, Any]:
    if record["type"] != type_:
        raise ValueError(f"not a {type_} record")
    return {name: part["value"] for name, part in record["open"].items()}
