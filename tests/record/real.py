"""A journal that the program wrote: a rehearsal with a window, an approval and attachments, killed and taken up again.

The driver dies in the middle of writing that a step has finished, so the record holds a torn line that was cut, a step
in doubt, what its probe said and how it was settled.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal.token import TokenKind
from runbook.record.events import StepFinished
from runbook.record.journal import read_records
from tests.killing.place import Place
from tests.killing.points import Phase, Point

DOUBTED = "B.slow"
"""The step in doubt."""


@dataclass(frozen=True)
class Real:
    """A run that ended green."""

    path: Path
    """The journal."""
    signers: Path
    """The allowed-signers file of the rehearsal."""
    lab: Path

    @functools.cached_property
    def content(self) -> bytes:
        return self.path.read_bytes()

    @functools.cached_property
    def lines(self) -> list[bytes]:
        return self.content.splitlines(keepends=True)

    @functools.cached_property
    def heads(self) -> list[str]:
        """The hash before each record, and the head at the end."""
        records = list(read_records(self.path))
        return [records[0].prev, *(record.hash for record in records)]

    @property
    def head(self) -> str:
        return self.heads[-1]


@contextmanager
def real_run() -> Iterator[Real]:
    """Make one; about ten seconds."""
    undisturbed = Place(TokenKind.SOFTHSM)
    undisturbed.finish(undisturbed.start(undisturbed.rehearse))
    ends = [isinstance(event, StepFinished) and event.step == DOUBTED for event in undisturbed.events]
    assert undisturbed.close() == []
    place = Place(TokenKind.SOFTHSM)
    place.finish(place.start(place.rehearse, Point(Phase.TORN, ends.index(True) + 1)))
    code, said = place.resume()
    assert code == 0, said
    assert place.journal is not None
    yield Real(place.journal, place.lab / "people" / "allowed_signers", place.lab)
    assert place.close() == []
