"""The witness at a plain terminal: the transcript as it comes, and a few commands; also for screen readers."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from functools import partial
from pathlib import Path

from runbook.errors import ExitCode, OperatorStopped, RunbookError
from runbook.operator import TerminalRequest
from runbook.paths import resolve
from runbook.people.following import Following
from runbook.plain.around import WORDS, Around, Lent, Seen
from runbook.plain.drive import EXIT_CODES
from runbook.plain.transcript import Transcript
from runbook.record.gate_events import ApprovalAsked
from runbook.record.state import RunState
from runbook.terminal.foreground import run_in_foreground
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator

_COMMANDS = {
    "approve": "approve KEY: sign what is asked, with your key; without KEY, the one that was named at the start",
    "no": "no REASON: say no to what is asked; the step then fails",
    "note": "note TEXT: put a note into the record",
    "asked": "asked: show again what is asked",
    "quit": "quit: stop following; what is asked stays open",
    "help": "help: these lines; help WORD: what a word, a state or a check means",
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
        self._seen: Seen | None = None
        self._around: Around | None = None
        """None where the runbook cannot be read."""
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
                    self._transcript = await self._begin()
                self._transcript.show(event)
                if self._seen is not None:
                    self._seen.take(event)
                if following.caught_up:
                    await self._join()
                    self._ask()
        state = self._transcript.state if self._transcript else RunState()
        self._narrator.say(f"The run has ended: {state.ending}. The head is {following.head}.")
        return EXIT_CODES.get(state.finished, ExitCode.STOPPED)

    async def _begin(self) -> Transcript:
        following = self._following
        runbook = await following.runbook()
        transcript = Transcript(runbook, self._narrator, RunState())
        if runbook is not None and following.header is not None:
            self._seen = Seen(runbook, transcript)
            terminal = Lent(self._keyboard, self._narrator)
            path = Path(following.header.runbook_path)
            self._around = Around(self._seen, following.path.parent, path, terminal, following.header.stages)
        return transcript

    async def _join(self) -> None:
        """Once, when everything so far was shown."""
        if self._joined:
            return
        self._joined = True
        try:
            await self._following.join()
            words = ", ".join({**_COMMANDS, **WORDS} if self._around else _COMMANDS)
            self._narrator.say(f"You follow as {self._following.me.name}. Commands: {words}.")
        except RunbookError as error:  # then they can look on, and no more
            self._say_all(str(error).splitlines())

    def _ask(self) -> None:
        asked = self._following.asked
        if asked is not None and asked != self._shown:
            self._say_all(self._question(asked))
        self._shown = asked

    def _question(self, asked: ApprovalAsked) -> list[str]:
        return [
            "",
            f"APPROVAL ASKED for {asked.step}, until {asked.expires_at}",
            *(f"  will be done: {line}" for line in asked.what),
            f"  code {self._following.code}; the head of the record before it: {self._following.head_asked}",
            "  Compare the code with the driver's screen. Then: approve, or no and the reason.",
        ]

    def _say_all(self, lines: list[str]) -> None:
        for line in lines:
            self._narrator.say(line)

    async def _read(self) -> None:
        """Commands, one a line, until the witness leaves."""
        answer: list[str] = []
        with contextlib.suppress(OperatorStopped):
            while True:
                # What comes of a command is said when the next one can be typed: what is typed before that is dropped.
                line = (await self._keyboard.line(partial(self._say_all, answer))).strip()
                word, _, rest = line.partition(" ")
                if word == "quit":
                    return
                try:
                    answer = await self._do(word, rest.strip())
                except OperatorStopped:
                    raise
                except RunbookError as error:
                    answer = str(error).splitlines()

    async def _do(self, word: str, rest: str) -> list[str]:
        """Do the command; what to say about it."""
        match word:
            case "":
                return []
            case "note" if rest:
                await self._following.note(rest)
                return ["The note is left for the record."]
            case "approve" | "no" | "asked" if self._following.asked is None:
                return [
                    "Nothing is being asked" + ("." if self._following.holder else ", and nobody drives the run now.")
                ]
            case "asked":
                return self._question(self._asked)
            case "approve":
                return await self._approve(rest)
            case "no" if rest:
                await self._following.refuse(self._asked, rest)
                return ["Your no is left for the driver."]
            case _ if self._around is not None and word in WORDS and (word, rest) != ("help", ""):
                state = self._transcript.state if self._transcript else RunState()
                return list(await self._around.do(word, rest, state.at, self._following.head))
            case _:
                around = WORDS.values() if self._around is not None else ()
                return [*_COMMANDS.values(), *(told for told in around if not told.startswith("help"))]

    @property
    def _asked(self) -> ApprovalAsked:
        asked = self._following.asked
        assert asked is not None  # noqa: S101 - asked before
        return asked

    async def _approve(self, named: str) -> list[str]:
        key = resolve(Path.cwd(), named) if named else self._key
        if key is None:
            return ["With which key? approve PATH (or start with --key PATH)."]
        await self._following.approve(self._asked, key, self._terminal)
        return ["Your approval is left for the driver."]

    async def _terminal(self, request: TerminalRequest) -> int:
        return await run_in_foreground(request, self._keyboard.fd)
