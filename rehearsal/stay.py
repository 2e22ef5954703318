"""How long a lab stays: its card in a reader while it is used, its folder as long as a run in it can go on."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.mark import SITE_NAME, LabMark
from rehearsal.reader import CardReader
from rehearsal.token import TokenKind
from runbook.record.runs import list_runs
from runbook.terminal.narrator import Narrator

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextlib.contextmanager
def staying(lab: Path, mark: LabMark) -> Iterator[None]:
    """Inside, the lab can be used: its card, where it has one, is in a reader, with the fault of its drill.

    Afterwards the lab is removed, unless it is to be kept or a run in it was left before its end; then it is said
    where it is. Whatever kills this process leaves the folder and no process. Raises EnvironmentLacks.
    """
    before: dict[signal.Signals, Any] = {}
    try:
        with _in_reader(lab, mark):
            try:
                yield
            finally:
                # What is to end now is bounded, and must not be cut short.
                before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    finally:
        left = unfinished(lab)
        if mark.kept or left:
            _say(lab, mark, left)
        else:
            remove(lab, mark)
        for number, handler in before.items():
            signal.signal(number, handler)


def remove(lab: Path, mark: LabMark) -> None:
    """Delete the lab's folder, and what it has elsewhere."""
    if mark.full:
        from rehearsal.full.outfit import discard

        discard(lab)
    shutil.rmtree(lab, ignore_errors=True)


def unfinished(lab: Path) -> list[str]:
    """The ids of the runs in this lab in which steps are left to walk, the oldest first."""
    site = str(lab / SITE_NAME)
    return [run.run_id for run in list_runs() if run.site_path == site and not (run.over or run.rolled_back_by)]


def _in_reader(lab: Path, mark: LabMark) -> contextlib.AbstractContextManager[object]:
    return CardReader(lab, mark.fault, full=mark.full) if mark.token is TokenKind.CARD else contextlib.nullcontext()


def _say(lab: Path, mark: LabMark, left: list[str]) -> None:
    quoted = shlex.quote(str(lab))
    narrator = Narrator()
    for run_id in left:
        narrator.say(f"rehearsal: the run has not come to its end; to go on: runbook resume {run_id}")
    narrator.say(f"rehearsal: the lab stays in {lab}; its sheet holds PINs, so delete it some day: rm -r {quoted}")
    if mark.kept and mark.token is TokenKind.CARD:
        narrator.say(f"rehearsal: its card is in a reader only while this runs: runbook rehearse --serve {quoted}")
    narrator.close()
