"""A shell that the operator opened while the run was paused: when, and how it ended; not what was typed in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runbook.event import Event


@dataclass(frozen=True, slots=True)
class ShellOpened(Event):
    """The operator has the terminal for commands of their own; no step is at work until it ends."""

    type: ClassVar[str] = "shell.opened"
    step: str
    """The step at hand; empty: before the first."""
    program: str
    folder: str


@dataclass(frozen=True, slots=True)
class ShellEnded(Event):
    """The run goes on."""

    type: ClassVar[str] = "shell.ended"
    step: str
    status: int | None
    """Its exit status, or 128 and its signal; None: it could not be started, or was ended with the run."""
