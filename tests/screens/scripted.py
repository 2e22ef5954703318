"""A walk made of events and questions, without engine, journal or device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from checks.evidence.files import Statements
from runbook import events as ev
from runbook.errors import OperatorStopped, PromptCancelled
from runbook.event import Event
from runbook.model import Runbook
from runbook.operator import Decision, Moment, Operator
from runbook.outcome import Outcome
from runbook.session import Session
from runbook.site import Site

SAID = Statements(statements=("it is so",), confirmed=(True,), by="anna")
"""Evidence for steps whose evidence does not matter."""

Play = Callable[["ScriptedWalk", str], Awaitable[Outcome]]
"""What a step does: it may ask through `walk.operator` and say things with `walk.say`."""


class ScriptedWalk:
    """Goes through every step as the engine does; what a step does comes from `plays`."""

    def __init__(self, runbook: Runbook, operator: Operator, plays: dict[str, Play], *, rehearsal: bool) -> None:
        self.runbook, self.operator, self.plays, self.rehearsal = runbook, operator, plays, rehearsal
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.seen: list[Event] = []
        self.answers: list[object] = []
        self._task: asyncio.Task[None] | None = None
        self._reason = ""

    @property
    def head(self) -> str:
        return f"{len(self.seen):04x}-c0de-9a7f"

    def say(self, event: Event) -> None:
        self.seen.append(event)
        self.queue.put_nowait(event)

    async def note(self, text: str) -> None:
        self.say(ev.NoteAdded("", text))

    def stop(self, reason: str) -> None:
        self._reason = reason
        if self._task:
            self._task.cancel()

    async def events(self) -> AsyncIterator[Event]:
        self._task = asyncio.create_task(self._walk())
        try:
            while (event := await self.queue.get()) is not None:
                yield event
            await self._task
        finally:
            self._task.cancel()

    async def _walk(self) -> None:
        try:
            self.say(
                ev.RunStarted(
                    "run-7", self.runbook.id, self.runbook.title, "", "here", "", "1", "h", "op", self.rehearsal
                )
            )
            try:
                for _, step in self.runbook.steps():
                    await self._step(step.id, step.title)
                self.say(ev.RunFinished("green"))
            except (OperatorStopped, asyncio.CancelledError) as stop:
                self.say(ev.RunFinished("stopped", self._reason or str(stop)))
        finally:
            self.queue.put_nowait(None)

    async def _step(self, step: str, title: str) -> None:
        attempt = 0
        decided = await self.operator.decide(Moment(step, title))
        while True:
            if decided.decision is Decision.SKIP:
                return self.say(ev.StepSkipped(step, decided.reason))
            if decided.decision is Decision.STOP:
                raise OperatorStopped(decided.reason or f"stopped at {step}")
            attempt += 1
            self.say(ev.StepStarted(step, attempt, "kind", {}))
            try:
                outcome = await self.plays[step](self, step)
            except PromptCancelled as left:
                outcome = Outcome.errored(left.what, symptom="cancelled")
            hints = () if outcome.verdict.green else ("Likely: it is another token", "Try: put the right one in")
            self.say(ev.StepFinished(step, attempt, outcome, hints, 0.25))
            if outcome.verdict.green:
                for fact in self.runbook.step(step).establishes:
                    self.say(ev.FactEstablished(fact, step))
                return None
            allowed = (Decision.RETRY, Decision.SKIP, Decision.STOP)
            decided = await self.operator.decide(Moment(step, title, outcome=outcome, hints=hints, allowed=allowed))
            if decided.decision is Decision.RETRY:
                self.say(ev.StepRetried(step))


def asks(method: str, request: object, summary: str = "answered") -> Play:
    """A step that asks once and keeps the answer."""

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        walk.say(ev.PromptShown(step, method, "?"))
        answer = await getattr(walk.operator, method)(request)
        walk.answers.append(answer)
        walk.say(ev.PromptAnswered(step, method, None))
        return Outcome.passed(summary, SAID)

    return play


def ends(outcome: Outcome, *lines: str) -> Play:
    """A step that says some lines and ends."""

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        for line in lines:
            walk.say(ev.StepProgress(step, line))
        return outcome

    return play


def session(runbook: Runbook, plays: dict[str, Play], *, rehearsal: bool = False) -> tuple[Session, list[ScriptedWalk]]:
    """A session, and the walk once it has started."""
    walks: list[ScriptedWalk] = []

    def start(operator: Operator) -> ScriptedWalk:
        walks.append(ScriptedWalk(runbook, operator, plays, rehearsal=rehearsal))
        return walks[0]

    mark = {"token": "SoftHSM2", "sheet": "/lab/sheet.txt"} if rehearsal else None
    site = Site.model_validate({"site": 1, "name": "lab" if rehearsal else "input-b", "rehearsal": mark})
    return Session(runbook, Path("runbook.yaml"), site, "20260429T0910-7f3a", Path("/runs/7"), (), start), walks
