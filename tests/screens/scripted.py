"""A walk made of events and questions, without engine, journal or device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from checks.evidence.files import Statements
from runbook.errors import OperatorStopped, PromptCancelled
from runbook.event import Event
from runbook.model import Runbook
from runbook.operator import Decided, Decision, Moment, Operator, TerminalRequest
from runbook.outcome import Outcome, Verdict
from runbook.record import events as ev
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.record.state import RunState
from runbook.record.told import Told
from runbook.run.session import Session
from runbook.run.shell import Lend
from runbook.site import Site

SAID = Statements(statements=("it is so",), confirmed=(True,), by="anna")
"""Evidence for steps whose evidence does not matter."""

RUN_ID = "20260429-091000-hsm-cutover-7f3a"
LEFT_AT = "2026-04-29T08:52:31.123456Z"

Play = Callable[["ScriptedWalk", str], Awaitable[Outcome]]
"""What a step does: it may ask through `walk.operator` and say things with `walk.say`."""


class ScriptedWalk:
    """Goes through every step as the engine does; what a step does comes from `plays`."""

    def __init__(
        self, runbook: Runbook, operator: Operator, plays: dict[str, Play], history: RunState, *, rehearsal: bool
    ) -> None:
        self.runbook, self.operator, self.plays, self.rehearsal = runbook, operator, plays, rehearsal
        self.history = history
        self.moments: dict[str, Moment] = {}
        """Where the operator decides otherwise than before a plain step; each is used once."""
        self.decided: list[Decided] = []
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.seen: list[Event] = []
        self.answers: list[object] = []
        self.lend: Lend | None = None
        """Stands for the terminal's shell."""
        self._task: asyncio.Task[None] | None = None
        self._reason = ""

    @property
    def head(self) -> str:
        return f"{len(self.seen):04X} C0DE 9A7F 07C1 3F9A"

    def say(self, event: Event) -> None:
        self.seen.append(event)
        self.queue.put_nowait(event)

    async def note(self, text: str) -> None:
        self.say(ev.NoteAdded("", text))

    async def shell(self, step: str, lend: Lend) -> int:
        self.say(ShellOpened(step, "/bin/sh", "/"))
        status = await (self.lend or lend)(TerminalRequest(("/bin/sh",), "/"))
        self.say(ShellEnded(step, status))
        return status

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
            self.say(RESUMED if self.history.run_id else started(self.runbook, rehearsal=self.rehearsal))
            try:
                for _, step in self.runbook.steps():
                    if not self.history.step(step.id).status.green:
                        await self._step(step.id, step.title)
                self.say(ev.RunFinished("green"))
            except (OperatorStopped, asyncio.CancelledError) as stop:
                self.say(ev.RunFinished("stopped", self._reason or str(stop)))
        finally:
            self.queue.put_nowait(None)

    async def _step(self, step: str, title: str) -> None:
        attempt = 0
        decided = await self._decide(self.moments.pop(step, Moment(step, title)))
        while True:
            if decided.decision is Decision.DONE:
                self.say(ev.StepSettled(step, "done", decided.reason))
                return self.say(ev.StepFinished(step, 1, Outcome.warned("taken as done", SAID)))
            if decided.decision is Decision.WINDOW:
                self.say(ev.WindowSet("A", "2026-04-29T08:00:00Z", "2026-04-29T10:00:00Z", decided.reason))
                decided = await self._decide(Moment(step, title))
                continue
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
            if outcome.verdict is Verdict.IN_DOUBT:
                allowed = (Decision.DONE, *allowed)
            decided = await self._decide(Moment(step, title, outcome=outcome, hints=hints, allowed=allowed))
            if decided.decision is Decision.RETRY:
                self.say(ev.StepRetried(step))

    async def _decide(self, moment: Moment) -> Decided:
        self.decided.append(await self.operator.decide(moment))
        return self.decided[-1]


RESUMED = ev.RunResumed("1", "", "", "", "h", "op", "anna", "", 0)


def started(runbook: Runbook, *, rehearsal: bool = False) -> ev.RunStarted:
    """The header of the sample run."""
    return ev.RunStarted("run-7", runbook.id, runbook.title, "", "here", "", "1", "h", "op", rehearsal)


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


def session(
    runbook: Runbook,
    plays: dict[str, Play],
    *,
    rehearsal: bool = False,
    history: RunState | None = None,
    moments: Mapping[str, Moment] | None = None,
    told: Told | None = None,
) -> tuple[Session, list[ScriptedWalk]]:
    """A session, and the walk once it has started."""
    walks: list[ScriptedWalk] = []
    before = history or RunState()

    def start(operator: Operator) -> ScriptedWalk:
        walks.append(ScriptedWalk(runbook, operator, plays, before, rehearsal=rehearsal))
        walks[0].moments = dict(moments or {})
        return walks[0]

    mark = {"token": "SoftHSM2", "sheet": "/lab/sheet.txt"} if rehearsal else None
    name = "Rehearsal on SoftHSM2, which has no PIN counter" if rehearsal else "input-b"
    site = Site.model_validate({"site": 1, "name": name, "rehearsal": mark})
    made = Session(
        runbook, Path("runbook.yaml"), site, RUN_ID, Path("/runs/7"), (), start, before, LEFT_AT, told=told or Told()
    )
    return made, walks
