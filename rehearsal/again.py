"""A lab that outlived the program that made it, used again (`runbook resume`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal import mark, softhsm
from rehearsal.mark import SHEET_NAME
from rehearsal.smartcard import CardPlaces
from rehearsal.stay import staying
from rehearsal.token import TokenKind
from runbook.errors import EnvironmentLacks


@dataclass(frozen=True, slots=True)
class LabAgain:
    """A lab that can be used as it was left."""

    folder: Path
    sheet: Path
    """The paper sheet, also an answers file."""


@contextlib.contextmanager
def lab_of(site: Path) -> Iterator[LabAgain | None]:
    """Inside, the lab of this site profile can be used, as in the rehearsal that made it; None: it is not a lab's.

    What was wrong in a drill still is. At the end the lab is removed under the same rule as at the end of a rehearsal
    (`stay`). Raises EnvironmentLacks where the lab, or a part of it, is gone, and where its card cannot be had.
    """
    folder = site.parent
    said = mark.read(folder)
    if said is None and site.is_file():
        yield None
        return
    if said is None:
        raise _gone(folder, "the lab of this rehearsal is gone")
    missing = [path.name for path in (site, folder / SHEET_NAME, _token(folder, said.token)) if not path.exists()]
    if missing:
        raise _gone(folder, f"parts of the lab of this rehearsal are gone: {', '.join(missing)}")
    with staying(folder, said):
        yield LabAgain(folder, folder / SHEET_NAME)


def _token(lab: Path, kind: TokenKind) -> Path:
    return CardPlaces(lab).state if kind is TokenKind.CARD else lab / softhsm.FOLDER


def _gone(folder: Path, what: str) -> EnvironmentLacks:
    return EnvironmentLacks(
        what, where=str(folder), remedy="The run's record stays as it is. Begin a new rehearsal: `runbook rehearse`."
    )
