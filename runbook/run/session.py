"""One run, ready to be walked: what the front ends (screens, console, headless) are given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runbook.event import Event
from runbook.model import Runbook
from runbook.operator import Operator
from runbook.record.state import RunState
from runbook.record.told import Told
from runbook.run.shell import Lend
from runbook.site import Site


class Walk(Protocol):
    """A run in progress; the engine is one."""

    def events(self) -> AsyncGenerator[Event, None]:
        """Walk the runbook: each event after it is on disk. Ends with `RunFinished`; call it once."""
        ...

    async def note(self, text: str) -> None:
        """Record a note on the step at hand."""
        ...

    async def shell(self, step: str, lend: Lend) -> int:
        """A shell for the operator while no step is at work, on record; its exit status, or 128 and its signal.

        `step`: the one at hand, empty where there is none; `lend` gives the terminal to the shell. Raises UsageError
        where it cannot be now.
        """
        ...

    def stop(self, reason: str) -> None:
        """Ask for the run to end; the step at hand is cancelled cleanly."""
        ...

    @property
    def head(self) -> str:
        """The journal's head in its short form, for paper."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a front end needs to start and show a run."""

    runbook: Runbook
    runbook_path: Path
    site: Site
    run_id: str
    run_folder: Path
    stages: tuple[str, ...]
    """Stages selected; empty: all."""
    start: Callable[[Operator], Walk]
    """Make the walk for this operator; call it once."""
    history: RunState = field(default_factory=RunState)
    """Where the run stands before the walk: what a front end starts from when a run goes on."""
    left_at: str = ""
    """When a run that goes on was left, as far as its record tells, RFC 3339; empty for a new run."""
    rolls_back: str = ""
    """The run whose steps are undone; empty: it is no roll-back."""
    told: Told = field(default_factory=Told)
    """What was done before the walk, in words; whoever shows the run takes it over and goes on with it."""
