"""The witness at a plain terminal: the transcript as it comes, and a few commands; also for screen readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

from runbook.drive import EXIT_CODES
from runbook.errors import ExitCode, OperatorStopped, RunbookError
from runbook.following import Following
from runbook.foreground import run_in_foreground
from runbook.gate_events import ApprovalAsked
from runbook.keyboard import Keyboard
from runbook.narrator import Narrator
from runbook.operator import TerminalRequest
from runbook.paths import resolve
from runbook.state import RunState
from runbook.transcript import Transcript

_COMMANDS = {
    "approve": "approve [KEY]   sign what is asked, with your key",
    "no": "no REASON       say no to what is asked; the step then fails",
    "note": "note TEXT       put a note into the record",
    "show": "show            show again what is asked",
    "quit": "quit            stop following; what is asked stays open",
    "help": "help            show these lines",
}


async def follow(following: Following, key: Path | None) -> ExitCode:
    """Follow until the run ends or the witness leaves; the run's exit status, or STOPPED."""
    narrator = Narrator()
    console = WitnessConsole(following, Keyboard(), narrator, key)
    try:
        return await console.run()
    finally:
        await asyncio.to_thread(narrator.close)


class WitnessConsole:
    """One witness at one terminal."""

    def __init__(self, following: Following, keyboard: Keyboard, narrator: Narrator, key: Path | None) -> None:
        self._following = following
        self._keyboard = keyboard
        self._narrator = narrator
        self._key = key
        self._transcript: Transcript | None = None
        self._shown: ApprovalAsked | None = None
        self._joined = False

    async def run(self) -> ExitCode:
        """See `follow`."""
        reading = asyncio.create_task(self._read(), name="commands")
        watching = asyncio.create_task(self._watch(), name="following")
        try:
            await asyncio.wait({reading, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                return watching.result()
            reading.result()
            return ExitCode.STOPPED
        finally:
            for task in (reading, watching):
                task.cancel()
            await asyncio.wait({reading, watching})

    async def _watch(self) -> ExitCode:
        following = self._following
        async with aclosing(following.events()) as events:
            async for event in events:
                if self._transcript is None:
                    self._transcript = Transcript(await following.runbook(), self._narrator, RunState())
                self._transcript.show(event)
                if following.caught_up:
                    await self._join()
                    self._ask()
        state = self._transcript.state if self._transcript else RunState()
        self._narrator.say(f"The run has ended: {state.ending}. The head is {following.head}.")
        return EXIT_CODES.get(state.finished, ExitCode.STOPPED)

    async def _join(self) -> None:
        """Once, when everything so far was shown."""
        if self._joined:
            return
        self._joined = True
        with self._told():
            await self._following.join()
            self._narrator.say(f"You follow as {self._following.me.name}. Commands: {', '.join(_COMMANDS)}.")

    def _ask(self) -> None:
        asked = self._following.asked
        if asked is not None and asked != self._shown:
            self._show(asked)
        self._shown = asked

    def _show(self, asked: ApprovalAsked) -> None:
        say = self._narrator.say
        say()
        say(f"APPROVAL ASKED for {asked.step}, until {asked.expires_at}")
        for line in asked.what:
            say(f"  will be done: {line}")
        say(f"  code {self._following.code}; the head of the record before it: {self._following.head_asked}")
        say("  Compare the code with the driver's screen. Then: approve, or no and the reason.")

    async def _read(self) -> None:
        """Commands, one a line, until the witness leaves."""
        with contextlib.suppress(OperatorStopped):
            while True:
                line = (await self._keyboard.line(lambda: None)).strip()
                word, _, rest = line.partition(" ")
                if word == "quit":
                    return
                with self._told():
                    await self._do(word, rest.strip())

    async def _do(self, word: str, rest: str) -> None:
        match word:
            case "":
                return
            case "note" if rest:
                await self._following.note(rest)
                self._narrator.say("The note is left for the record.")
            case "approve" | "no" | "show" if self._following.asked is None:
                self._narrator.say("Nothing is being asked.")
            case "show":
                self._show(self._asked)
            case "approve":
                await self._approve(rest)
            case "no" if rest:
                await self._following.refuse(self._asked, rest)
                self._narrator.say("Your no is left for the driver.")
            case _:
                for line in _COMMANDS.values():
                    self._narrator.say(line)

    @property
    def _asked(self) -> ApprovalAsked:
        asked = self._following.asked
        assert asked is not None  # noqa: S101 - asked before
        return asked

    async def _approve(self, named: str) -> None:
        key = resolve(Path.cwd(), named) if named else self._key
        if key is None:
            self._narrator.say("With which key? approve PATH (or start with --key PATH).")
            return
        await self._following.approve(self._asked, key, self._terminal)
        self._narrator.say("Your approval is left for the driver.")

    async def _terminal(self, request: TerminalRequest) -> int:
        return await run_in_foreground(request, self._keyboard.fd)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OperatorStopped:
            raise
        except RunbookError as error:
            self._narrator.say(str(error))
