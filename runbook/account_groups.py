"""Groups of this machine's accounts: their numbers, and where their members cannot go."""

from __future__ import annotations

import contextlib
import grp
import os
from pathlib import Path

from runbook.errors import EnvironmentLacks


def group_id(name: str) -> int:
    """The group's number; raises EnvironmentLacks where there is none or this account may not give files to it."""
    try:
        gid = grp.getgrnam(name).gr_gid
    except KeyError:
        raise EnvironmentLacks(
            f"this machine has no group `{name}`", remedy="Correct `two_people.group` in the site profile."
        ) from None
    if os.geteuid() != 0 and gid not in {os.getegid(), *os.getgroups()}:
        raise EnvironmentLacks(
            f"this account is not in the group `{name}`, so it cannot let it follow",
            remedy="Add the account to the group, and log in again.",
        )
    return gid


def unreachable(folder: Path, name: str) -> Path | None:
    """The first folder on the way to `folder` that the group cannot go through; None: it can. Blocking.

    Access control lists are not looked at.
    """
    gid = group_id(name)
    for place in reversed([folder, *folder.absolute().parents]):
        with contextlib.suppress(FileNotFoundError):
            info = place.stat()
            if not info.st_mode & 0o001 and not (info.st_gid == gid and info.st_mode & 0o010):
                return place
    return None
