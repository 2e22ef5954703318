"""An engine that stands still at every question, at every piece of work and at every probe, until it is told to go on.

Also the journal's own account of a run, read without the program's fold: what a state machine compares with.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.context import Context
from runbook.errors import PromptCancelled, StepError
from runbook.event import Event
from runbook.model import Role, Runbook
from runbook.operator import Decided, Moment
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.record.journal import Journal, read_events
from runbook.run.beginning import TakenUp
from runbook.run.engine import Engine, Plan
from runbook.run.resuming import take_up
from runbook.secrets import Redactor
from runbook.site import Site
from tests.engine.world import Said, SetClock, World, registry

PROBE = "probe"
"""The word that a probe's kind is given; every other word is a step's own."""

WORK, PROBING = "work", "probing"
"""What is held beside the operator's questions, which go by the names of the operator's methods."""

ENDS: dict[str, Outcome | Exception | None] = {
    "green": None,
    "warned": Outcome.warned("nearly", Said(word="nearly")),
    "red": Outcome.failed("red"),
    "error": StepError("lost"),
    "defect": KeyError("x"),
    "left": PromptCancelled("left"),
    "doubt": Outcome.in_doubt("who knows"),
}
"""How a kind may come to its end."""

_PROMPTS = ("text", "transcribe", "confirm", "type_phrase", "point_of_no_return", "attest", "choose", "witness")


@dataclass
class Question:
    """What the engine waits for."""

    name: str
    asked: Any
    """The request or the moment; of work and of a probe, the step's id."""
    answer: asyncio.Future[Any]


class HeldOperator:
    """Every prompt waits until it is answered from outside."""

    def __init__(self) -> None:
        self.question: Question | None = None
        self.changed = asyncio.Event()

    async def hold(self, name: str, asked: Any) -> Any:
        question = Question(name, asked, asyncio.get_running_loop().create_future())
        assert self.question is None, f"{name} is asked while {self.question} is"
        self.question = question
        self.changed.set()
        try:
            return await question.answer
        finally:
            self.question = None

    async def decide(self, moment: Moment) -> Decided:
        decided: Decided = await self.hold("decide", moment)
        return decided

    def __getattr__(self, name: str) -> Callable[[Any], Coroutine[Any, Any, Any]]:
        if name not in _PROMPTS:
            raise AttributeError(name)
        return lambda request: self.hold(name, request)


@dataclass
class Held:
    """One run over several drivers, in a folder of its own; all calls are made between two moments of its loop."""

    folder: Path
    runbook: Runbook
    site: Site
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    clock: SetClock = field(default_factory=SetClock)
    operator: HeldOperator = field(default_factory=HeldOperator)
    engine: Engine | None = None
    shown: list[Event] = field(default_factory=list)
    """What the driver at work has yielded."""
    on_work: Callable[[str], None] = lambda step: None
    """Called when the work of a step begins."""
    _driving: asyncio.Task[None] | None = None

    @property
    def journal(self) -> Path:
        return self.folder / "run" / "journal.jsonl"

    @property
    def events(self) -> list[Event]:
        return list(read_events(self.journal))

    @property
    def records(self) -> int:
        return self.journal.read_bytes().count(b"\n")

    @property
    def question(self) -> Question | None:
        return self.operator.question

    @property
    def alive(self) -> bool:
        return self._driving is not None

    def begin(self) -> None:
        """Start the run."""
        self.runner.run(self._begin())

    def resume(self) -> ev.RunResumed:
        """Go on with another driver; raises what `take_up` raises."""
        return self.runner.run(self._resume())

    def answer(self, value: Any) -> None:
        """Answer what is asked, and go on to the next stand; an exception is raised there."""
        self.runner.run(self._answer(value))

    def set_clock(self, now: str) -> None:
        self.runner.run(self._set_clock(now))

    def note(self, text: str) -> None:
        self.runner.run(self._note(text))

    def stop(self, reason: str) -> None:
        self.runner.run(self._stop(reason))

    def kill(self, records: int, torn: int) -> int:
        """The driver is dead, and of the journal there are so many records and bytes of the next; how many bytes."""
        lines = self.journal.read_bytes().splitlines(keepends=True)
        self.runner.run(self._gone())
        rest = lines[records][:torn] if records < len(lines) else b'{"at":"2026-11-21T'[:torn]
        rest = rest.rstrip(b"\n")
        self.journal.write_bytes(b"".join(lines[:records]) + rest)
        return len(rest)

    def close(self) -> None:
        if self.alive:
            self.runner.run(self._gone())
        self.runner.close()

    async def _begin(self) -> None:
        journal = await Journal.create(self.folder / "run", Redactor())
        await self._drive(journal, None)

    async def _resume(self) -> ev.RunResumed:
        left = await take_up(self.folder / "run", Redactor())
        found = left.found
        resumed = ev.RunResumed("hsm-runbook 0", "", "00" * 32, "00" * 32, "host", "me", "", "", found.cut)
        inputs = {name: value for name, (value, _) in found.inputs.items() if value is not None}
        await self._drive(left.journal, TakenUp(resumed, found.state, inputs))
        return resumed

    async def _drive(self, journal: Journal, taken_up: TakenUp | None) -> None:
        header = ev.RunStarted("r1", "t", "T", "00" * 32, "site", "00" * 32, "hsm-runbook 0", "host", "me", True)
        plan = Plan(header, self.runbook, self.folder, self.site, {})
        self.operator, self.shown = HeldOperator(), []
        self.engine = Engine(
            plan,
            registry(self._world()),
            self.operator,  # type: ignore[arg-type]  # all that is asked here
            journal,
            Redactor(),
            clock=self.clock,
            taken_up=taken_up,
        )
        self._driving = asyncio.create_task(self._walk(self.engine, journal))
        await self._stand()

    async def _walk(self, engine: Engine, journal: Journal) -> None:
        try:
            async for event in engine.events():
                self.shown.append(event)
        finally:
            await journal.close()

    def _world(self) -> World:
        world = World()

        async def work(ctx: Context, name: str) -> Outcome | None:
            if name == WORK:
                self.on_work(ctx.step_id)
            outcome: Outcome | None = await self.operator.hold(name, ctx)
            return outcome

        for _, step in self.runbook.steps():
            world.behaviour[step.id] = lambda ctx: work(ctx, PROBING if world.words[-1] == PROBE else WORK)
        return world

    async def _answer(self, value: Any) -> None:
        assert self.operator.question is not None
        if isinstance(value, Exception):
            self.operator.question.answer.set_exception(value)
        else:
            self.operator.question.answer.set_result(value)
        await self._stand()

    async def _set_clock(self, now: str) -> None:
        self.clock.set(now)
        await self._stand()

    async def _note(self, text: str) -> None:
        assert self.engine is not None
        await self.engine.note(text)
        await self._stand()

    async def _stop(self, reason: str) -> None:
        assert self.engine is not None
        self.engine.stop(reason)
        await self._stand()

    async def _gone(self) -> None:
        if self._driving is not None:
            self._driving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._driving
        self._driving = None

    async def _stand(self) -> None:
        """Until something is asked, or the walk has ended."""
        if self._driving is None:
            return
        async with asyncio.timeout(60):
            while True:
                for _ in range(30):  # what was answered, or taken back, is gone by then
                    await asyncio.sleep(0)
                if self.operator.question is not None:
                    return
                self.operator.changed.clear()
                changed = asyncio.create_task(self.operator.changed.wait())
                await asyncio.wait({changed, self._driving}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if self._driving.done():
                    driving, self._driving = self._driving, None
                    await driving
                    return


class Told:
    """What a journal says of each step, by the shortest way and not by the program's."""

    def __init__(self, runbook: Runbook, events: list[Event]) -> None:
        self.runbook = runbook
        self.events = events

    def last(self, step: str, *kinds: type[Event], before: int | None = None) -> int:
        """The place of the last such record of the step, from 0; -1: there is none."""
        told = self.events[:before]
        places = [n for n, event in enumerate(told) if isinstance(event, kinds) and getattr(event, "step", "") == step]
        return places[-1] if places else -1

    def last_resumed(self) -> int:
        """The place of the record that began the last part."""
        return max(n for n, event in enumerate(self.events) if isinstance(event, ev.RunStarted | ev.RunResumed))

    def green(self, step: str) -> bool:
        place = self.last(step, ev.StepFinished)
        event = self.events[place] if place >= 0 else None
        return isinstance(event, ev.StepFinished) and event.outcome.verdict.green

    def skipped(self, step: str) -> bool:
        return self.last(step, ev.StepSkipped) >= 0

    def doubtful(self, step: str, before: int) -> bool:
        """Whether an action may have done something, going by the records before this place."""
        declared = self.runbook.step(step)
        began = self.last(step, ev.StepStarted, before=before)
        if declared.role is not Role.ACTION or began < 0:
            return False
        if declared.irreversible:
            return True
        ends = [e for e in self.events[began:before] if isinstance(e, ev.StepFinished) and e.step == step]
        return not ends or any(e.outcome.verdict.value == "in doubt" for e in ends)

    @property
    def facts(self) -> set[str]:
        return {event.fact for event in self.events if isinstance(event, ev.FactEstablished)}
