"""`python -m tests.killing.cutover_launcher NOTES MET ARGUMENT…`: the program, killed once at every event of stage G.

MET lists the events at which a driver was killed before, a line each; this one is killed at the first that is not
among them, at a moment of its writing that the event's own digest chooses. Without such an event it runs to its end.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from runbook import cli
from runbook.record import attachments, journal
from tests.killing.launcher import Watch
from tests.killing.points import Phase, Point

STAGE = "G"
"""Of the cutover: the window in which the CA is down."""

_PHASES = (Phase.BEFORE, Phase.WRITTEN, Phase.SYNCED)


class Choosing(Watch):
    """Chooses where to kill from what is to be written."""

    def __init__(self, notes: str, met: Path) -> None:
        super().__init__(notes, None)
        self._file = met
        self._met = set(met.read_text().split("\n")) if met.exists() else set()
        self._step = ""

    def write(self, fd: int, data: bytes) -> int:
        if self._point is None and journal_of(fd):
            self._choose(json.loads(data))
        return super().write(fd, data)

    def _choose(self, record: dict[str, dict[str, dict[str, str]]]) -> None:
        told = {name: leaf.get("value") for name, leaf in record["open"].items()}
        self._step = str(told.get("step") or self._step)
        event = f"{record['type']} {self._step} {told.get('stage') or told.get('fact') or ''}".strip()
        if not self._step.startswith(STAGE) or event in self._met:
            return
        with self._file.open("a") as file:
            file.write(f"{event}\n")
        chance = hashlib.sha256(event.encode()).digest()[0]
        self._point = Point(_PHASES[chance % len(_PHASES)], self._number + 1)


def journal_of(fd: int) -> bool:
    """Whether this is the journal's file."""
    return str(Path(f"/proc/self/fd/{fd}").readlink()).endswith("journal.jsonl")


if __name__ == "__main__":
    os.umask(0o077)
    _, notes, met, *arguments = sys.argv
    watch = Choosing(notes, Path(met))
    watch.install(journal)
    watch.install(attachments)
    cli.main(arguments)
