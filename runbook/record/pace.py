"""How long steps are expected to take: as the runbook says, or as earlier runs of it took on this account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from runbook.model import Runbook, Step
from runbook.paths import JOURNAL_NAME
from runbook.record.state import RunState

RUNS = 12
"""Earlier runs that are looked at, the newest first."""

MOST = 64 * 1024 * 1024
"""Bytes of their journals that are read."""

TOLD = 1.0
"""Seconds from which an expectation is worth telling."""

_LATE = 1.25
"""Times the expectation after which a step is said to take longer; below it, people do not notice."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is expected of each step, in seconds; a step that is not in it may take any time."""

    of: Mapping[str, float] = field(default_factory=dict)

    def among(self, steps: Iterable[Step]) -> Ahead:
        """What is ahead of a run of these steps."""
        ids = [step.id for step in steps]
        known = {step: self.of[step] for step in ids if step in self.of}
        return Ahead(known, frozenset(ids), sum(known.values()), len(ids) - len(known))


@dataclass(frozen=True, slots=True)
class Ahead:
    """The steps of a run and what is expected of them, summed up once: a run may have thousands."""

    of: Mapping[str, float]
    ids: frozenset[str]
    seconds: float
    """Of all steps of which something is known."""
    unknown: int
    """How many others there are."""

    def left(self, state: RunState, running: float = 0.0) -> tuple[float, bool]:
        """Seconds that the steps that are not over will still take, and whether that is all of it.

        `running`: for how long the step at hand has been at work. False: of some steps nothing is known.
        """
        left, unknown = self.seconds, self.unknown
        for step, now in state.steps.items():
            if now.over and step in self.ids:
                unknown -= step not in self.of
                left -= self.of.get(step, 0.0)
            elif now.begun:
                left -= min(self.of.get(step, 0.0), running)
        return max(0.0, left), not unknown


def expected(runbook: Runbook, measured: Mapping[str, float]) -> Pace:
    """The runbook's own word comes first, then what was measured."""
    found = {step.id: step.takes or measured.get(step.id, 0.0) for _, step in runbook.steps()}
    return Pace({step: seconds for step, seconds in found.items() if seconds > 0})


def measured(runs: Path, runbook_id: str, *, rehearsal: bool, but: str = "") -> dict[str, float]:
    """The median of the seconds that each step took in the newest runs of this runbook; blocking.

    `runs`: the folder that holds them. Only steps that ended green count, and of rehearsals only where the run is one.
    `but`: the run that is under way. What cannot be read is left out: nothing hangs on it.
    """
    took: dict[str, list[float]] = {}
    budget, seen = MOST, 0
    try:
        folders = sorted((path.name for path in runs.iterdir()), reverse=True)
    except OSError:
        return {}
    for name in folders:
        if seen >= RUNS or budget <= 0:
            break
        if name == but or runbook_id not in name:
            continue
        used, found = _of_run(runs / name / JOURNAL_NAME, runbook_id, rehearsal, budget)
        budget -= used
        seen += bool(found)
        for step, seconds in found:
            took.setdefault(step, []).append(seconds)
    return {step: median(all_of_it) for step, all_of_it in took.items()}


def _of_run(path: Path, runbook_id: str, rehearsal: bool, most: int) -> tuple[int, list[tuple[str, float]]]:
    """Bytes read, and the steps with their seconds; none where it is another runbook's, or of the other kind."""
    used, found = 0, []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                used += len(line)
                if used > most:
                    break
                if number == 0:
                    header = _values(line)
                    if header.get("runbook_id") != runbook_id or bool(header.get("rehearsal")) is not rehearsal:
                        break
                elif b'"type":"step.finished"' in line:
                    values = _values(line)
                    if values.get("outcome.verdict") in ("passed", "warned"):
                        found.append((str(values["step"]), float(values["seconds"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # a journal that is damaged, or another version's: its steps so far are as good as any
    return used, found


def _values(line: bytes) -> Mapping[str, Any]:
    return {name: part["value"] for name, part in json.loads(line)["open"].items()}


def length(seconds: float) -> str:
    """For people: `0.4 s`, `45 s`, `2 min 10 s`, `1 h 5 min`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = whole // 60
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def about(seconds: float) -> str:
    """The same where nobody wants to know exactly: whole seconds, then fives, half minutes, minutes."""
    if seconds < 1:
        return "1 s"
    if seconds < 20:
        return f"{round(seconds)} s"
    if seconds < 90:
        return length(5 * round(seconds / 5))
    if seconds < 600:
        return length(30 * round(seconds / 30))
    return length(60 * round(seconds / 60))


def said(took: float, wanted: float | None, *, over: bool) -> str:
    """How long a step has taken, beside what is expected. `over`: it has ended; otherwise it is still at work."""
    took = took if over else int(took)
    time = length(took) if over or took >= 10 else f"{took} s"
    if wanted is None or wanted < TOLD:
        return time
    if took > max(wanted * _LATE, wanted + 1):
        return f"{time}, {about(took - wanted)} longer than expected ({about(wanted)})"
    return f"{time}, expected about {about(wanted)}"
