"""The application: one run, its screen, and what is asked over it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, aclosing, suppress
from pathlib import PurePath
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import events, on
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.screen import Screen
from textual.worker import WorkerFailed

from runbook.errors import ExitCode, RunbookError
from runbook.model import Step
from runbook.operator import Decided, Decision
from runbook.session import Session, Walk
from runbook.watchdog import Watchdog
from screens import crash
from screens.driver import TERMINAL, UNDRAW
from screens.guard import ControlGuard
from screens.operator import TuiOperator
from screens.run_screen import RunScreen
from screens.theme import FALLBACKS, STYLE, THEME
from screens.too_small import TooSmall, fits

T = TypeVar("T")

SLICE = 0.008
"""Seconds of folding events after which the screen gets its turn."""

SIGNALS = {
    signal.SIGHUP: "the terminal went away",
    signal.SIGTERM: "the program was told to end",
    signal.SIGINT: "the program was interrupted",
}
"""What ends the run from outside, and the reason that is recorded."""


class RunbookApp(App[ExitCode]):
    """Walks a session and shows it; its return value is the exit code."""

    TITLE = "runbook"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLE / "run.tcss", STYLE / "evidence.tcss"]
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-vast")]  # noqa: RUF012 - Textual declares no class variable

    def __init__(self, session: Session, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.session = session
        self.rehearsal = session.site.rehearsal
        self.run_screen = RunScreen(session)
        self.animation_level = "none"
        self.register_theme(THEME)
        self.theme = THEME.name
        self.fault: RunbookError | None = None
        """Why the run could not go on, for the caller to tell."""
        self._walk: Walk | None = None
        self._called_off = False
        # Made before the driver changes the terminal's modes, which the watchdog keeps.
        self._watchdog = Watchdog(
            SIGNALS, self._call_off, self._step_at, session.run_id, terminal=TERMINAL, undraw=UNDRAW, late=False
        )
        self._watching = ExitStack()
        self._filters.append(ControlGuard())
        self._roomy = asyncio.Event()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return FALLBACKS

    def get_default_screen(self) -> Screen[None]:
        return self.run_screen

    def on_mount(self) -> None:
        self._fit(self.size)

    @on(RunScreen.Ready)
    def _start(self) -> None:
        self.run_worker(self._run(), name="walk", description="the run", exclusive=True, exit_on_error=True)

    # The run.

    async def _run(self) -> None:
        """Iterate the walk's events until it ends."""
        clock = asyncio.get_running_loop().time
        since = clock()
        try:
            self._walk = walk = self.session.start(TuiOperator(self))
            self._end_on_signals()
            async with aclosing(walk.events()) as happened:
                async for event in happened:
                    self.run_screen.take(event, walk.head)
                    if clock() - since > SLICE:
                        await asyncio.sleep(0)
                        since = clock()
        except RunbookError as error:
            self._fail(error)
        if self._called_off:
            self.exit(self.code)

    def _fail(self, error: RunbookError) -> None:
        """The run cannot go on, for a reason that is told once the screens are gone."""
        self.fault = error
        self.exit(error.exit_code)

    def _end_on_signals(self) -> None:
        """A terminal that goes away, or a polite kill, stops the run as the operator would."""
        # Where the application does not run in the main thread, signals are its owner's business.
        with suppress(ValueError):
            self._watching.enter_context(self._watchdog)

    def _step_at(self) -> Step | None:
        """The step at hand; called from the watchdog's thread."""
        return self.session.runbook.step(self.run_screen.at) if self.run_screen.at else None

    def on_unmount(self) -> None:
        self._watching.close()

    def terminal_lost(self) -> None:
        """Nobody is there any more."""
        self._call_off("the terminal went away")

    def _call_off(self, reason: str) -> None:
        self._called_off = True
        if self.run_screen.state.finished:
            self.exit(self.code)
        elif self._walk is not None:
            self._walk.stop(reason)

    @on(RunScreen.Noted)
    async def _note(self, message: RunScreen.Noted) -> None:
        if self._walk is None:
            return
        try:
            await self._walk.note(message.text)
        except RunbookError as error:
            self._fail(error)

    @property
    def code(self) -> ExitCode:
        """The exit code for the run as it stands."""
        return {"green": ExitCode.GREEN, "failed": ExitCode.FAILED}.get(
            self.run_screen.state.finished, ExitCode.STOPPED
        )

    # What is asked.

    async def ask(self, prompt: Screen[T | None]) -> T | None:
        """Show a prompt and wait for its answer; None when it was left.

        Where the question is withdrawn (the run was stopped, the step's time is over), the prompt goes away.
        """
        await self._roomy.wait()
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        await self.push_screen(prompt, lambda given: None if answer.done() else answer.set_result(given))
        try:
            return await answer
        except asyncio.CancelledError:
            self._withdraw(prompt)
            raise

    def _withdraw(self, prompt: Screen[T | None]) -> None:
        if not self.is_running:
            return
        while prompt in self.screen_stack:
            self.pop_screen()
        self._fit(self.size)

    def action_help_quit(self) -> None:
        """Ctrl+C asks as Q does, instead of saying which key to press."""
        self.call_later(self.action_quit)

    async def action_quit(self) -> None:
        """Leave; a run that is not over asks first."""
        from screens.prompts.quit import QuitPrompt

        if self.run_screen.state.finished or self._walk is None:
            self.exit(self.code)
        elif not isinstance(self.screen, QuitPrompt):
            self.push_screen(QuitPrompt(self.run_screen.at), self._quit)

    def _quit(self, stop: bool | None) -> None:
        """Where the operator's decision is waited for, stopping is that decision."""
        if stop and self._walk is not None and not self.run_screen.resolve(Decided(Decision.STOP)):
            self._walk.stop("stopped by the operator")

    def action_help(self) -> None:
        from screens.help_screen import HelpScreen

        self.push_screen(HelpScreen())

    # Size.

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Put the notice over everything while there is too little room; it goes away by itself."""
        if fits(size):
            self._roomy.set()
            if isinstance(self.screen, TooSmall):
                self.pop_screen()
        else:
            self._roomy.clear()
            if not isinstance(self.screen, TooSmall):
                self.push_screen(TooSmall())

    # Faults.

    def _fatal_error(self) -> None:
        """Textual would print every local variable of every frame."""
        error: BaseException = self._exception or RuntimeError()
        if isinstance(error, WorkerFailed):
            error = error.error
        self._exit_renderables.append(Text(crash.report(error, self.session.run_folder)))
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:  # noqa: ARG002 - Textual's signature
        self._fatal_error()
