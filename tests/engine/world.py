"""A small world for the engine: kinds that do as they are told, an operator with a script, a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from runbook.context import Context, Resource
from runbook.errors import PromptCancelled
from runbook.event import Event
from runbook.kind import Action, Check, Params, Registry
from runbook.model import Role, Runbook
from runbook.operator import (
    Attested,
    AttestRequest,
    ConfirmRequest,
    Decided,
    Decision,
    Moment,
    PhraseRequest,
    PointOfNoReturnRequest,
    TextRequest,
    TranscribeRequest,
)
from runbook.outcome import Evidence, Outcome
from runbook.record.events import RunResumed, RunStarted
from runbook.record.journal import Journal, read_events
from runbook.run.beginning import TakenUp
from runbook.run.engine import Engine, Plan
from runbook.secrets import Redactor
from runbook.site import Site


class Said(Evidence):
    """A word."""

    kind: ClassVar[str] = "said"
    word: str

    def plain(self) -> Iterator[str]:
        yield self.word


class WordParams(Params):
    word: str = "ok"


@dataclass
class World:
    """What the kinds of a test do and did."""

    behaviour: dict[str, Callable[[Context], Any]] = field(default_factory=dict)
    """By step id: what its kind does; default: pass."""
    ran: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def registry(world: World) -> Registry:
    async def behave(ctx: Context, word: str) -> Outcome:
        world.ran.append(ctx.step_id)
        world.words.append(word)
        behaviour = world.behaviour.get(ctx.step_id)
        result = behaviour(ctx) if behaviour else None
        if asyncio.iscoroutine(result):
            result = await result
        return result if isinstance(result, Outcome) else Outcome.passed("fine", Said(word=word))

    class Probe(Check[WordParams]):
        """A check that does as it is told."""

        name = "do"
        Params = WordParams
        evidence = (Said,)
        symptoms: ClassVar[dict[str, str]] = {"red": "It is red."}

        async def run(self, ctx: Context) -> Outcome:
            return await behave(ctx, self.params.word)

    class Deed(Action[WordParams]):
        """An action that does as it is told."""

        name = "do"
        Params = WordParams
        evidence = (Said,)

        async def run(self, ctx: Context) -> Outcome:
            return await behave(ctx, self.params.word)

    return Registry({(Role.CHECK, "do"): Probe, (Role.ACTION, "do"): Deed})


@dataclass
class Script:
    """An operator that decides as listed (then runs before a step and stops after a failure)."""

    decisions: list[Decided] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    agrees: bool = True
    phrases: bool = True
    """Whether phrases are typed as shown."""
    moments: list[Moment] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    async def decide(self, moment: Moment) -> Decided:
        self.moments.append(moment)
        if moment.outcome is None and not moment.unmet and moment.probed is None:
            return Decided(Decision.RUN)
        decided = self.decisions.pop(0) if self.decisions else Decided(Decision.STOP)
        return decided if decided.decision in moment.allowed else Decided(Decision.STOP)

    async def text(self, request: TextRequest) -> str:
        self.asked.append(request)
        return self._next()

    async def transcribe(self, request: TranscribeRequest) -> str:
        self.asked.append(request)
        return self._next()

    async def confirm(self, request: ConfirmRequest) -> bool:
        self.asked.append(request)
        return self.agrees

    async def type_phrase(self, request: PhraseRequest) -> bool:
        self.asked.append(request)
        return self.agrees and self.phrases

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        self.asked.append(request)
        return self.agrees

    async def attest(self, request: AttestRequest) -> Attested:
        if request.of_run:
            self.asked.append(request)
        return Attested(tuple(self.agrees for _ in request.statements))

    def _next(self) -> str:
        if not self.typed:
            raise PromptCancelled("nothing was typed")
        return self.typed.pop(0)


class Lamp(Resource):
    """A resource that notes its end."""

    ended: ClassVar[list[str]] = []

    @classmethod
    async def open(cls, site: Site, redactor: Redactor) -> Self:
        cls.ended.append("open")
        return cls()

    async def end_stage(self) -> None:
        self.ended.append("stage")

    async def close(self) -> None:
        self.ended.append("close")


class SetClock:
    """A clock that stands still until it is set (`runbook.gates.clock.Clock`)."""

    def __init__(self, now: str = "2026-11-21T19:50+01:00", zone: str = "Europe/Berlin") -> None:
        self.zone: tzinfo | None = ZoneInfo(zone)
        self._now = datetime.fromisoformat(now)
        self._moved = asyncio.Event()
        self.waited_for: list[datetime] = []

    def now(self) -> datetime:
        return self._now.astimezone(self.zone)

    def set(self, now: str) -> None:
        """The time jumps to this RFC 3339 moment."""
        self._now = datetime.fromisoformat(now)
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, moment: datetime) -> None:
        self.waited_for.append(moment)
        while self._now < moment:
            await self._moved.wait()


@dataclass
class Bench:
    """Walks a runbook given as data and keeps everything that came of it."""

    folder: Path
    world: World = field(default_factory=World)
    operator: Script = field(default_factory=Script)
    events: list[Event] = field(default_factory=list)
    engine: Engine | None = None
    plan: Plan | None = None
    site: dict[str, Any] = field(default_factory=dict)
    """Of the site profile, beyond its name."""
    clock: SetClock = field(default_factory=SetClock)
    on_event: Callable[[Event], None] = lambda event: None

    async def walk(self, *stages: dict[str, Any], selected: tuple[str, ...] = (), **rest: Any) -> list[Event]:
        runbook = Runbook.model_validate({"runbook": 1, "id": "t", "title": "T", "stages": stages, **rest})
        header = RunStarted("r1", "t", "T", "00" * 32, "site", "00" * 32, "hsm-runbook 0", "host", "me", True, selected)
        site = Site.model_validate({"site": 1, "name": "s", **self.site})
        self.plan = Plan(header, runbook, self.folder, site, {})
        return await self._drive(await Journal.create(self.folder / "run", Redactor()), None)

    async def resume(self, operator: Script | None = None) -> list[Event]:
        """Go on with the run as its journal tells it, by another process as it were; the events of this part."""
        assert self.plan is not None
        self.operator, self.events = operator or Script(), []
        journal, found = await Journal.open(self.folder / "run", Redactor())
        resumed = RunResumed("hsm-runbook 0", "", "00" * 32, "00" * 32, "host", "me", "", "", found.cut)
        inputs = {name: value for name, (value, _) in found.inputs.items() if value is not None}
        return await self._drive(journal, TakenUp(resumed, found.state, inputs))

    def keep(self, records: int) -> None:
        """The driver was killed when the journal had so many records."""
        journal = self.folder / "run" / "journal.jsonl"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:records]))

    def keep_until(self, kind: type[Event], step: str) -> None:
        """The driver was killed right after the first such event of the step."""
        recorded = list(read_events(self.folder / "run" / "journal.jsonl"))
        self.keep(1 + next(n for n, e in enumerate(recorded) if type(e) is kind and getattr(e, "step", "") == step))

    async def _drive(self, journal: Journal, taken_up: TakenUp | None) -> list[Event]:
        assert self.plan is not None
        self.engine = Engine(
            self.plan,
            registry(self.world),
            self.operator,  # type: ignore[arg-type]  # all that is asked here
            journal,
            Redactor(),
            clock=self.clock,
            taken_up=taken_up,
        )
        try:
            async for event in self.engine.events():
                self.events.append(event)
                self.on_event(event)
        finally:
            await journal.close()
        return self.events

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def stage(*steps: dict[str, Any], id: str = "A") -> dict[str, Any]:  # noqa: A002 - the key of the file
    return {"id": id, "title": id, "steps": list(steps)}


def check(id: str, **rest: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "title": id, "check": "do", **rest}


def action(id: str, **rest: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "title": id, "action": "do", **rest}
