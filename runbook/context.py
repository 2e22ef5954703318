"""What a running step may use: the operator, the inputs, the site, shared resources, and the record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Protocol, Self, TypeVar

from runbook.event import Event
from runbook.operator import Operator
from runbook.outcome import Evidence, Outcome
from runbook.secrets import Redactor
from runbook.site import LOCAL, Site
from runbook.touched import Touched

Record = Callable[[Event], Awaitable[None]]
"""Journals an event (on disk when this returns), then shows it."""


class Resource(ABC):
    """Something several steps share, such as the pool of token workers; opened on first use."""

    record: Record | None = None
    """Where to tell what happens while no step asks; the run sets it after `open`, and it holds until `close`."""

    @classmethod
    @abstractmethod
    async def open(cls, site: Site, redactor: Redactor) -> Self:
        """Make it ready; do not touch a device yet."""

    @abstractmethod
    async def end_stage(self) -> None:
        """A stage has ended: log out, forget what must not outlive it."""

    @abstractmethod
    async def close(self) -> None:
        """End every child process; must not raise and must not wait without bound."""


R = TypeVar("R", bound=Resource)


class Context(Protocol):
    """Given to a kind's `run`; made by the engine."""

    @property
    def run_id(self) -> str: ...
    @property
    def step_id(self) -> str: ...
    @property
    def runbook_title(self) -> str: ...
    @property
    def folder(self) -> Path:
        """The folder of the runbook file; relative paths start here."""
        ...

    @property
    def site(self) -> Site: ...
    @property
    def operator(self) -> Operator:
        """Prompts through here are recorded and do not count towards the step's deadline."""
        ...

    @property
    def seconds_left(self) -> float:
        """Working time until the step's deadline; a kind that stops itself a little earlier keeps its evidence."""
        ...

    @property
    def redactor(self) -> Redactor: ...
    @property
    def last(self) -> Outcome | None:
        """How the attempt before this one ended, also where the run was left since; None at the first."""
        ...

    @property
    def touched(self) -> tuple[Touched, ...]:
        """What the run's steps have changed so far, as the journal knows it."""
        ...

    async def touch(self, what: str, name: str, *, on: str = LOCAL, how: str = "changed") -> None:
        """Journal that the step is about to change this, or has just changed it (`runbook.record.events.Touched`)."""
        ...

    async def record(self, event: Event) -> None:
        """Journal the event (on disk when this returns), then show it."""
        ...

    async def attach(self, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        """Store bytes, a file, or pieces beside the record, without any known secret; returns their SHA-256 in hex.

        They are on the disk, and named in the record, when this returns. Raises JournalError.
        """
        ...

    def progress(self, line: str) -> None:
        """Show a line of live output; it is cleaned and redacted here."""
        ...

    def show(self, evidence: Evidence) -> None:
        """Show how far the step is, in the place of what was shown so before; it is not recorded."""
        ...

    async def use(self, resource: type[R]) -> R:
        """The shared resource of that class, opened on first use, closed at the end of the run."""
        ...

    async def ask_input(self, name: str) -> str:
        """Ask the operator for an input (blind where its source is paper) and keep the answer as its value."""
        ...
