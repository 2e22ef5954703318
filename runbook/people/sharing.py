"""Let a group of this machine follow a run and answer: modes and groups of the run's folder (docs/approval.md)."""

from __future__ import annotations

import os
from pathlib import Path

from runbook.account_groups import group_id
from runbook.errors import EnvironmentLacks
from runbook.paths import JOURNAL_NAME
from runbook.people import inbox
from runbook.record import attachments, runlock

_PASS = 0o050
"""What the group needs of a folder above the run's: to list it and to go through."""


def share(run_folder: Path, name: str, *sha256s: str) -> None:
    """Journal and lock readable by the group, `approvals/` writable, and these attachments readable.

    Every other attachment stays private. Raises EnvironmentLacks. Blocking.
    """
    gid = group_id(name)
    kept = [attachments.path_of(run_folder, sha256) for sha256 in sha256s if sha256]
    try:
        for folder in (run_folder.parent, run_folder.parent.parent):
            _let_pass(folder, gid)
        _give(run_folder, gid, 0o2750)
        _give(run_folder / inbox.FOLDER, gid, 0o3770)
        _give(run_folder / JOURNAL_NAME, gid, 0o640)
        _give(run_folder / runlock.NAME, gid, 0o640)
        for path in kept:
            if path.exists():
                _give(path.parent, gid, 0o2710)
                _give(path, gid, 0o640)
    except OSError as error:
        raise EnvironmentLacks(
            f"the group `{name}` cannot be let in: {error.strerror}", where=str(error.filename or run_folder)
        ) from error


def _let_pass(folder: Path, gid: int) -> None:
    """Only our own folders; what lies further up is the administrator's."""
    info = folder.stat()
    if info.st_uid == os.geteuid() and not (info.st_gid == gid and info.st_mode & _PASS == _PASS):
        _give(folder, gid, (info.st_mode & 0o7777) | _PASS)


def _give(path: Path, gid: int, mode: int) -> None:
    os.chown(path, -1, gid, follow_symlinks=False)
    path.chmod(mode)  # after it: chown takes set-group-id away
