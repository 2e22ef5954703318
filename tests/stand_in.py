"""A context to run one kind in: a scripted person, a folder, and the record kept in a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from runbook.context import Resource
from runbook.event import Event
from runbook.kind import Kind
from runbook.operator import Attested, AttestRequest, CompareRequest
from runbook.outcome import Evidence, Outcome
from runbook.record.attachments import store
from runbook.record.events import Attached
from runbook.secrets import Redactor
from runbook.site import LOCAL, Site
from runbook.touched import Touched

R = TypeVar("R", bound=Resource)


@dataclass
class Person:
    """Answers what it was told to; keeps what it was asked."""

    confirms: tuple[bool, ...] = ()
    sees_same: bool = True
    asked: list[Any] = field(default_factory=list)

    async def attest(self, request: AttestRequest) -> Attested:
        self.asked.append(request)
        return Attested(self.confirms)

    async def compare(self, request: CompareRequest) -> bool:
        self.asked.append(request)
        return self.sees_same


@dataclass
class StandIn:
    """The engine's side of a step."""

    folder: Path
    operator: Any = field(default_factory=Person)
    inputs: Mapping[str, str] = field(default_factory=dict)
    site: Site = field(default_factory=lambda: Site(site=1, name="test"))
    redactor: Redactor = field(default_factory=Redactor)
    lines: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    resources: dict[type[Resource], Resource] = field(default_factory=dict)
    run_id: str = "run-1"
    step_id: str = "X1"
    seconds_left: float = 60.0
    runbook_title: str = "A test"
    last: Outcome | None = None
    shown: list[Evidence] = field(default_factory=list)

    @property
    def touched(self) -> tuple[Touched, ...]:
        return tuple(event for event in self.events if isinstance(event, Touched))

    async def touch(self, what: str, name: str, *, on: str = LOCAL, how: str = "changed") -> None:
        await self.record(Touched(self.step_id, what, name, on, how))

    async def record(self, event: Event) -> None:
        self.events.append(event)

    async def attach(self, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        stored = store(self.folder, content, self.redactor)
        await self.record(Attached(self.step_id, name, stored.sha256, stored.size))
        return stored.sha256

    def progress(self, line: str) -> None:
        self.lines.append(line)

    def show(self, evidence: Evidence) -> None:
        self.shown.append(evidence)

    async def use(self, resource: type[R]) -> R:
        if resource not in self.resources:
            self.resources[resource] = await resource.open(self.site, self.redactor)
        return self.resources[resource]  # type: ignore[return-value]

    async def ask_input(self, name: str) -> str:
        return self.inputs[name]

    async def run(self, kind: type[Kind[Any]], **params: Any) -> Outcome:
        """Run a kind with these parameters."""
        return await kind(kind.Params.model_validate(params)).run(self)
