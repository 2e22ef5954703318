"""The witness's application: a run as it is driven elsewhere, and the answers of the second person."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from textual import on
from textual.driver import Driver
from textual.screen import Screen
from textual.worker import Worker, WorkerError

from runbook.errors import ExitCode, RunbookError
from runbook.event import Event
from runbook.gates.gate_lines import approved_title
from runbook.model import Runbook
from runbook.operator import TerminalRequest
from runbook.paths import resolve
from runbook.people.following import Following
from runbook.plain.drive import EXIT_CODES
from runbook.preferences import DEFAULTS, Preferences
from runbook.record.events import RunStarted
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused
from screens import clock
from screens.app import SLICE
from screens.base_app import BaseApp
from screens.prompts.approval import ApprovalPrompt, Approves, Question, Refuses
from screens.run_view import RunView
from screens.widgets.witness_bar import Watch
from screens.witness_screen import WitnessScreen


class WitnessApp(BaseApp):
    """Follows; it changes nothing but by what the witness leaves for the driver's program."""

    def __init__(
        self,
        following: Following,
        runbook: Runbook,
        header: RunStarted,
        happened: AsyncGenerator[Event, None],
        preferences: Preferences = DEFAULTS,
        *,
        key: Path | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """`happened`: the events after the header. `key`: the one that is proposed for signing."""
        super().__init__(following.path.parent, preferences, in_rehearsal=header.rehearsal, driver_class=driver_class)
        self.watched = WitnessScreen(runbook, header)
        self._following, self._runbook, self._header, self._happened = following, runbook, header, happened
        self._key = str(key) if key else ""
        self._joined = False
        self._offered: ApprovalAsked | None = None
        """The question that was put to the witness by itself; they may come back to it by a key."""
        self._answering: Worker[None] | None = None
        self._follower: Worker[None] | None = None
        self._problem = ""
        self._said = ""

    def get_default_screen(self) -> Screen[None]:
        return self.watched

    @property
    def runbook_path(self) -> Path:
        return Path(self._header.runbook_path)

    @property
    def code(self) -> ExitCode:
        return EXIT_CODES.get(self.watched.state.finished, ExitCode.STOPPED)

    @on(RunView.Ready)
    def _start(self) -> None:
        # Where the application does not run in the main thread, signals are its owner's business.
        with suppress(ValueError, RuntimeError):
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, self.terminal_lost)
        self.set_interval(clock.TICK, self._tell)
        self._follower = self.run_worker(self._follow(), name="follow", description="the run", exit_on_error=True)

    async def on_unmount(self) -> None:
        """Whoever opened the record closes it, which cannot be done while it is read."""
        if self._follower is not None:
            self._follower.cancel()
            with suppress(WorkerError):
                await self._follower.wait()

    async def action_quit(self) -> None:
        """Nothing is lost by leaving: what is asked stays open."""
        self.exit(self.code)

    # What happens.

    async def _follow(self) -> None:
        now = asyncio.get_running_loop().time
        since = now()
        self.watched.take(self._header, self._following.head, self._following.at)
        try:
            async for event in self._happened:
                self.watched.take(event, self._following.head, self._following.at)
                self._hear(event)
                if self._following.caught_up:
                    await self._join()
                    self._offer()
                self._tell()
                if now() - since > SLICE:
                    await asyncio.sleep(0)
                    since = now()
        except RunbookError as error:
            self.fail(error)

    def _hear(self, event: Event) -> None:
        """What came of an answer."""
        match event:
            case ApprovalGiven():
                self._said = f"{event.witness} approved {event.step}"
            case ApprovalRefused() if event.by_witness:
                self._said = f"{event.witness} said no to {event.step}: {event.reason}"
            case ApprovalRefused():
                self._said = self._problem = f"An answer to {event.step} was not accepted: {event.reason}"
                self._offered = None

    async def _join(self) -> None:
        """Once, when everything so far was shown."""
        if not self._joined:
            self._joined = True
            try:
                await self._following.join()
            except RunbookError as error:
                self._said = str(error)

    @property
    def _me(self) -> str:
        try:
            return self._following.me.name
        except RunbookError:
            return ""

    def _tell(self) -> None:
        following = self._following
        asked = following.asked if following.caught_up else None
        self.watched.tell(
            Watch(
                self.watched.state,
                following.head,
                following.caught_up,
                self._me,
                f"{following.holder.who} on {following.holder.host}" if following.holder else "",
                asked.step if asked else "",
                following.code if asked else "",
                asked.expires_at if asked else "",
                self._said,
            )
        )

    # What the witness is asked.

    def _offer(self) -> None:
        """Put a new question before the witness, and take an old one away."""
        asked = self._following.asked
        if asked == self._offered:
            return
        self._offered = asked
        if self._answering is not None:
            self._answering.cancel()
        if asked is not None and self._me:
            self._open(asked)

    @on(WitnessScreen.Answering)
    def _again(self) -> None:
        if self._following.asked is not None:
            self._open(self._following.asked)

    def _open(self, asked: ApprovalAsked) -> None:
        self._answering = self.run_worker(
            self._ask(asked), name="answer", description="the approval", group="answer", exclusive=True
        )

    async def _ask(self, asked: ApprovalAsked) -> None:
        """Until the witness has answered, or leaves it for later."""
        following, title = self._following, approved_title(self._runbook, asked.step)
        while True:
            question = Question(asked, title, following.code, following.head_asked, self._key, self._problem)
            answer: Approves | Refuses | None = await self.ask(ApprovalPrompt(question))
            self._problem = ""
            if answer is None:
                return
            try:
                self._said = await self._leave(asked, answer)
            except RunbookError as error:
                self._problem = str(error)
            else:
                self._tell()
                return

    async def _leave(self, asked: ApprovalAsked, answer: Approves | Refuses) -> str:
        """Leave the answer for the driver; what is said about it. Raises RunbookError."""
        if isinstance(answer, Refuses):
            await self._following.refuse(asked, answer.reason)
            return "Your no is left for the driver."
        self._key = answer.key
        await self._following.approve(asked, resolve(Path.cwd(), answer.key), self._terminal)
        return "Your approval is left for the driver's program, which checks it."

    async def _terminal(self, request: TerminalRequest) -> int:
        from screens.terminal import hand_over

        return await hand_over(self, request)

    @on(RunView.Noted)
    async def _note(self, message: RunView.Noted) -> None:
        try:
            await self._following.note(message.text)
            self._said = "Your note is left for the record."
        except RunbookError as error:
            self._said = str(error)
        self._tell()
