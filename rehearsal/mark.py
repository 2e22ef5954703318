"""What a lab says of itself, so that another program can use it again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rehearsal.faults import Fault
from rehearsal.private_file import write_private
from rehearsal.token import TokenKind
from runbook.errors import EnvironmentLacks

NAME = "lab.json"
VERSION = 1

SITE_NAME = "site.yaml"
"""The lab's site profile."""

SHEET_NAME = "paper-sheet.yaml"
"""The paper sheet, also an answers file."""


class LabMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Written last when a lab is made: a folder without it is no lab, or not a whole one."""

    token: TokenKind
    fault: Fault | None = None
    kept: bool = False
    """Whether it stays when nothing is left to do in it."""
    full: bool = False
    """Whether it has an engine, and a CA in it."""
    version: int = VERSION


def write(lab: Path, mark: LabMark) -> None:
    """Mark the folder as a lab; raises OSError."""
    write_private(lab / NAME, msgspec.json.encode(mark) + b"\n")


def read(lab: Path) -> LabMark | None:
    """None where the folder is no lab; raises EnvironmentLacks where it is one that this program cannot use."""
    try:
        return msgspec.json.decode((lab / NAME).read_bytes(), type=LabMark)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise EnvironmentLacks(
            "the lab's own file cannot be read, so that the lab cannot be used again",
            where=str(lab / NAME),
            remedy="Begin a new rehearsal: `runbook rehearse`.",
        ) from error
