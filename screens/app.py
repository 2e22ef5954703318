"""The driver's application: one run, its screen, and what is asked over it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from textual.driver import Driver
from textual.screen import Screen

from runbook.errors import ExitCode, RunbookError
from runbook.paths import runs_folder
from runbook.preferences import DEFAULTS, Preferences
from runbook.terminal.watchdog import Watchdog
from screens.base_app import BaseApp
from screens.driver import TERMINAL, UNDRAW
from screens.opening import Opening, OpeningScreen

if TYPE_CHECKING:
    from runbook.model import Step
    from runbook.run.session import Session, Walk
    from screens.run_screen import RunScreen

SLICE = 0.008
"""Seconds of folding events after which the screen gets its turn."""

SIGNALS = {
    signal.SIGHUP: "the terminal went away",
    signal.SIGTERM: "the program was told to end",
    signal.SIGINT: "the program was interrupted",
}
"""What ends the run from outside, and the reason that is recorded."""


class RunbookApp(BaseApp):
    """Walks a session and shows it.

    Its modules are imported before any model of a file is, so that the first screen is painted soon: what needs them
    is imported where it is used, and messages of their screens are handled by name.
    """

    session: Session
    """Not there while the files are read."""
    run_screen: RunScreen
    """Likewise."""
    once_there: Callable[[], None] | None = None
    """Called when the run screen stands."""

    def __init__(
        self,
        session: Session | Opening,
        preferences: Preferences = DEFAULTS,
        driver_class: type[Driver] | None = None,
    ) -> None:
        self._opening = session if isinstance(session, Opening) else None
        super().__init__(
            runs_folder(),
            preferences,
            in_rehearsal=self._opening is not None and self._opening.seen.rehearsal,
            driver_class=driver_class,
        )
        self._walk: Walk | None = None
        self._called_off = False
        # Made before the driver changes the terminal's modes, which the watchdog keeps.
        self._watchdog = Watchdog(
            SIGNALS, self._call_off, self._step_at, "", terminal=TERMINAL, undraw=UNDRAW, late=False
        )
        self._watching = ExitStack()

        self._later: list[Path] = []
        """Style that the first screen does without: to parse it takes longer than to paint."""
        if isinstance(session, Opening):
            self._later, self.css_path = self.css_path, []
        else:
            self._take(session)

    def get_default_screen(self) -> Screen[None]:
        return OpeningScreen(self._opening.seen) if self._opening is not None else self.run_screen

    # The files.

    def _take(self, session: Session) -> None:
        from screens.run_screen import RunScreen

        self._opening = None
        self.session, self.run_folder = session, session.run_folder
        self.rehearsal = session.site.rehearsal
        self.in_rehearsal = self.rehearsal is not None
        self.run_screen = RunScreen(session)
        self._watchdog.run_id = session.run_id

    def on_opening_screen_ready(self) -> None:
        self.run_worker(self._open(), name="open", description="the files", exclusive=True, exit_on_error=True)

    async def _open(self) -> None:
        """Read and check the files while the first screen stands; nothing can be decided before it is done."""
        assert self._opening is not None  # noqa: S101 - for the type checker
        try:
            session = await asyncio.to_thread(self._opening.begin)
        except RunbookError as error:
            self.fail(error)
            return
        await asyncio.to_thread(import_module, "screens.run_screen")
        await self._roomy.wait()
        self.css_path = self._later
        self.stylesheet.read_all(self.css_path)
        self._take(session)
        await self.push_screen(self.run_screen)

    # The run.

    def on_run_view_ready(self) -> None:
        if self.once_there is not None:
            self.call_after_refresh(self.once_there)
        self.run_worker(self._run(), name="walk", description="the run", exclusive=True, exit_on_error=True)

    async def _run(self) -> None:
        """Iterate the walk's events until it ends."""
        from screens.operator import TuiOperator

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
            self.fail(error)
        if self._called_off:
            self.exit(self.code)

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
        if self._opening is not None or self.run_screen.state.finished:
            self.exit(self.code)
        elif self._walk is not None:
            self._walk.stop(reason)

    async def on_run_view_noted(self, message: RunScreen.Noted) -> None:
        if self._walk is None:
            return
        try:
            await self._walk.note(message.text)
        except RunbookError as error:
            self.fail(error)

    @property
    def runbook_path(self) -> Path:
        return self.session.runbook_path

    def on_run_screen_shell_wanted(self) -> None:
        """The screens are away until it ends; what can be decided is decided afterwards."""
        from screens.terminal import lender

        if self._walk is not None:
            shell = self._walk.shell(self.run_screen.at, lender(self))
            self.run_worker(self._away(shell), name="shell", description="a shell")

    async def _away(self, shell: Awaitable[int]) -> None:
        try:
            await self.beside(shell)
        finally:
            self.run_screen.away = False

    @property
    def code(self) -> ExitCode:
        """The exit code for the run as it stands."""
        if self._opening is not None:
            return ExitCode.STOPPED
        return {"green": ExitCode.GREEN, "failed": ExitCode.FAILED}.get(
            self.run_screen.state.finished, ExitCode.STOPPED
        )

    # Leaving.

    async def action_quit(self) -> None:
        """Leave; a run that is not over asks first."""
        from screens.prompts.quit import QuitPrompt

        if self._walk is None or self.run_screen.state.finished:
            self.exit(self.code)
        elif not isinstance(self.screen, QuitPrompt):
            self.push_screen(QuitPrompt(self.run_screen.at), self._quit)

    def _quit(self, stop: bool | None) -> None:
        """Where the operator's decision is waited for, stopping is that decision."""
        from runbook.operator import Decided, Decision

        if stop and self._walk is not None and not self.run_screen.resolve(Decided(Decision.STOP)):
            self._walk.stop("stopped by the operator")
