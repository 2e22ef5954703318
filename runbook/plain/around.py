"""What one may look at and do between two decisions in line mode: all that the screens can do, a word each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from runbook import copying
from runbook.editor import Lend, runbook_page, show
from runbook.event import Event
from runbook.finding import Steps
from runbook.kind import Registry
from runbook.model import Runbook, Step
from runbook.operator import TerminalRequest
from runbook.plain import pages
from runbook.plain.transcript import Transcript
from runbook.record.events import StepProgress, StepStarted
from runbook.record.state import RunState
from runbook.record.told import Told
from runbook.run.exact import exact
from runbook.terminal.foreground import run_in_foreground
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator
from runbook.threads import in_thread

WORDS: Mapping[str, str] = {
    "steps": "steps: every step with its state",
    "show": "show STEP: a step in full, with its exact commands and its evidence; without STEP, the one at hand",
    "output": "output STEP: what it said while it ran",
    "randomart": "randomart STEP: OpenSSH's pictures of the keys that it has found",
    "find": "find TEXT: where the text stands in steps, outcomes and evidence",
    "facts": "facts: what is true in the room, the inputs, the time windows, the deviations",
    "journal": "journal: what was done last, with every command that ran; also journal 200, all, or commands",
    "copy": "copy WHAT: one thing by itself, to be copied; without WHAT, what there is",
    "edit": "edit STEP: its place in the runbook in your editor, read-only",
    "help": "help WORD: what a word, a state or a check means",
}
"""Each word, and what is said about it."""

KEPT = 10_000
"""Lines of output kept of a step."""


@dataclass(slots=True)
class Seen:
    """A run as this terminal has seen it."""

    runbook: Runbook
    transcript: Transcript
    told: Told = field(default_factory=Told)
    said: dict[str, deque[str]] = field(default_factory=dict)
    """What the steps said while they ran."""

    def take(self, event: Event) -> None:
        """One more event, which the transcript has shown."""
        match event:
            case StepProgress():
                self.said.setdefault(event.step, deque(maxlen=KEPT)).append(event.line)
            case StepStarted():
                self.said.pop(event.step, None)
        self.told.take(event, datetime.now(UTC).isoformat())

    @property
    def state(self) -> RunState:
        return self.transcript.state


class Around:
    """Answers the words of `WORDS`."""

    def __init__(
        self, seen: Seen, folder: Path, runbook_path: Path, terminal: Lent, stages: Collection[str] = ()
    ) -> None:
        """`folder`: of the run. `stages`: those of the run; empty: all."""
        self._seen, self._folder, self._path, self._terminal = seen, folder, runbook_path, terminal
        self._stages = stages
        self._steps = {s.id: s for stage, s in seen.runbook.steps() if not stages or stage.id in stages}
        self._finder: Steps | None = None

    async def do(self, word: str, rest: str, at: str, head: str) -> Iterable[str]:
        """What is said to the word; `at`: the step at hand. Raises RunbookError."""
        seen = self._seen
        match word:
            case "steps":
                return pages.steps(seen.runbook, seen.state, self._stages)
            case "find":
                self._finder = self._finder or Steps(
                    stage for stage in seen.runbook.stages if not self._stages or stage.id in self._stages
                )
                return await in_thread(partial(pages.found, self._finder, rest, seen.state))
            case "facts":
                return pages.facts(seen.runbook, seen.state, seen.told, self._stages)
            case "journal":
                return pages.journal(seen.told, rest)
            case "help" if rest:
                return await in_thread(partial(pages.about, seen.runbook, rest))
            case "help":
                return WORDS.values()
            case "copy":
                return await self._copy(rest, at, head)
        step = self._steps.get(rest or at or next(iter(self._steps)))
        if step is None:
            return [f"There is no step `{rest}`; `steps` lists them."]
        return await self._of_step(word, step)

    async def _of_step(self, word: str, step: Step) -> Iterable[str]:
        seen = self._seen
        match word:
            case "show":
                return pages.step(seen.runbook, seen.state, step, await self._commands(step))
            case "output":
                said = seen.said.get(step.id)
                return said or [f"{step.id} has said nothing here while it ran; `show {step.id}` has its evidence."]
            case "randomart":
                return pages.randomart(seen.state, step.id)
            case _:
                page = await in_thread(partial(runbook_page, seen.state, self._folder, self._path, step.id))
                await show(page, self._terminal.lend)
                return []

    async def _commands(self, step: Step) -> tuple[str, ...]:
        inputs = self._seen.state.inputs
        return await in_thread(lambda: exact(step, inputs, Registry()))

    async def _copy(self, what: str, at: str, head: str) -> list[str]:
        """Print it, for there is no clipboard in a line; the terminal selects it, or a screen reader's own keys do."""
        step = self._steps.get(at) or next(iter(self._steps.values()))
        offered = copying.copyables(
            self._seen.state,
            step.id,
            head=head,
            folder=self._folder,
            commands=await self._commands(step),
            output=self._seen.said.get(step.id, ()),
        )
        for one in offered:
            if one.word == what:
                return one.text.split("\n")
        lines = [f"copy {one.word}: {one.name}" for one in offered]
        return lines if not what else [f"There is no `{what}` here. There is:", *lines]


class Lent:
    """Gives the plain terminal to a command; nothing is said on it meanwhile."""

    def __init__(self, keyboard: Keyboard, narrator: Narrator) -> None:
        self._keyboard = keyboard
        self._narrator = narrator

    @property
    def lend(self) -> Lend:
        return self._lend

    async def _lend(self, request: TerminalRequest) -> int:
        with self._narrator.held():
            await asyncio.to_thread(self._narrator.flush)
            status = await run_in_foreground(request, self._keyboard.fd)
        self._narrator.say()  # what it said last may have no line's end
        return status
