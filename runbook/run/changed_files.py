"""Whether a run that goes on is driven by the files and the program that drove it until now (design §8, resume)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from runbook.errors import JournalError, UsageError
from runbook.files.changes import runbook_changes, site_changes
from runbook.files.loader import load_document, resolved
from runbook.files.outline import FOLDED
from runbook.files.problems import InvalidDocument
from runbook.model import Runbook
from runbook.record.attachments import RUNBOOK, SITE, load, path_of
from runbook.site import Site, TwoPeople
from runbook.version import program_sha256, program_version

if TYPE_CHECKING:
    from runbook.run.resuming import Left
    from runbook.run.start import Prepared

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs in the files since the run was driven last."""

    lines: tuple[str, ...]
    """Empty: nothing."""
    two_people: TwoPeople | None
    """Who may agree to go on all the same: as the site profile said before it was changed."""


def changes_of(left: Left, prepared: Prepared) -> Changes:
    """Compare the files as they are with those that drove the run until now; blocking."""
    walked = left.found.state.files or left.header
    runbook, site = prepared.runbook, prepared.site
    two_people = site.model.two_people
    lines: list[str] = []
    if runbook.sha256 != walked.runbook_sha256:
        was = _as_it_was(left, RUNBOOK, walked.runbook_sha256, Runbook)
        lines += _said("runbook", runbook_changes(was, runbook.model) if was else None)
    if site.sha256 != walked.site_sha256:
        profile = _as_it_was(left, SITE, walked.site_sha256, Site)
        place = Path(left.header.site_path)
        now = load_document(place, Site).model if site.sha256 else site.model
        lines += _said("site profile", site_changes(profile, now) if profile else None)
        two_people = resolved(profile, place.parent).two_people if profile else None
    return Changes(tuple(lines), two_people)


def _as_it_was(left: Left, name: str, sha256: str, model: type[M]) -> M | None:
    """The file as it was attached; None where it is not there as it was."""
    folder = left.journal.path.parent
    if left.found.state.attached.get(name) != sha256:
        return None
    try:
        load(folder, sha256)
        return load_document(path_of(folder, sha256), model, drop=FOLDED).model
    except (JournalError, InvalidDocument):
        return None


def _said(what: str, changes: tuple[str, ...] | None) -> list[str]:
    if changes is None:
        return [f"{what}: changed; how it was is not on record"]
    return [f"{what}: {line}" for line in changes or ("only comments or spelling differ",)]


def require_unchanged(left: Left, changes: Changes, *, accept: bool, remedy: str = "") -> None:
    """Raise UsageError where files were changed, unless that is to be agreed to by two people."""
    if not changes.lines or (accept and changes.two_people):
        return
    listed = "".join(f"\n    {line}" for line in changes.lines)
    if accept:
        remedy = "The site profile of the start names no two people, so nobody can agree. Put the files back."
    elif not remedy:
        remedy = (
            "Put the files back as they were; how they were lies beside the journal, in `attachments`. To go on with "
            "them as they are, two people must agree: add --accept-changes."
        )
    raise UsageError(f"it was changed since the run was left:{listed}", where=left.header.run_id, remedy=remedy)


def program_warnings(left: Left) -> tuple[str, ...]:
    """Whether another program goes on than the one that drove the run until now; takes some 20 ms."""
    walked = left.found.state.files or left.header
    if walked.program_sha256 in ("", program_sha256()):
        return ()
    now = f"hsm-runbook {program_version()}"
    other = "its files are others" if walked.program == now else f"it was {walked.program} and is {now}"
    return (f"the program was changed since the run was left ({other}); this is on record",)
