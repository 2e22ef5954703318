"""`python -m tests.killing.launcher NOTES POINT ARGUMENT…`: the program, killed at one write of its journal.

It changes nothing but the three calls by which a journal reaches the disk, in this process alone: the program itself
has no hook for it. POINT is `PHASE:NUMBER`, or `never`. Into the file NOTES goes a line of JSON after each sync: the
file, and how many bytes of it are on the disk from now on.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from runbook import cli
from runbook.record import attachments, journal
from tests.killing.points import Phase, Point


class Watched:
    """The module `os` for one module of the program, with `write` and `fsync` seen."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, fd: int, data: bytes) -> int:
        return self._watch.write(fd, data)

    def fsync(self, fd: int) -> None:
        self._watch.fsync(fd)


class Watch:
    """Counts the records, and kills where it was told to."""

    def __init__(self, notes: str, point: Point | None) -> None:
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._point = point
        self._number = 0

    def install(self, module: ModuleType) -> None:
        module.os = Watched(self)  # type: ignore[attr-defined]

    def write(self, fd: int, data: bytes) -> int:
        if not _path(fd).endswith(".jsonl"):
            return os.write(fd, data)
        self._number += 1
        self._reached(Phase.BEFORE)
        if self._here(Phase.TORN):
            os.write(fd, data[: len(data) // 2])
        self._reached(Phase.TORN)
        written = os.write(fd, data)
        self._reached(Phase.WRITTEN)
        return written

    def fsync(self, fd: int) -> None:
        os.fsync(fd)
        os.write(self._notes, json.dumps([_path(fd), os.fstat(fd).st_size]).encode() + b"\n")
        if self._number:
            self._reached(Phase.SYNCED)

    def _here(self, phase: Phase) -> bool:
        return self._point == Point(phase, self._number)

    def _reached(self, phase: Phase) -> None:
        if self._here(phase):
            os.kill(os.getpid(), signal.SIGKILL)


def _path(fd: int) -> str:
    return str(Path(f"/proc/self/fd/{fd}").readlink())


if __name__ == "__main__":
    _, notes, point, *arguments = sys.argv
    watch = Watch(notes, Point.parse(point))
    watch.install(journal)
    watch.install(attachments)
    cli.main(arguments)
