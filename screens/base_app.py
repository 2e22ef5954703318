"""What every application of ours has: the look, room for the screens, prompts that can be withdrawn, quiet faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePath
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import Monochrome, NoColor
from textual.geometry import Size
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import MountError, Widget
from textual.worker import WorkerFailed

from runbook.errors import ExitCode, RunbookError
from runbook.preferences import Preferences, ThemeName
from screens import crash
from screens.guard import ControlGuard
from screens.key_names import key_name
from screens.keys import rebound
from screens.keys_in import CapsLock
from screens.theme import FALLBACKS, STYLE, theme_for
from screens.too_small import TooSmall, fits
from screens.typing_guard import TypingGuard

T = TypeVar("T")


class BaseApp(App[ExitCode]):
    """Its return value is the exit code."""

    caps_lock: reactive[bool] = reactive(False)
    """Whether Caps Lock is on, where the terminal tells."""

    TITLE = "runbook"
    CSS_PATH: ClassVar[list[str | PurePath]] = [STYLE / "run.tcss", STYLE / "evidence.tcss", STYLE / "everywhere.tcss"]
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-vast"), (160, "-panels")]  # noqa: RUF012 - Textual declares no class variable

    def __init__(
        self,
        run_folder: Path,
        preferences: Preferences,
        *,
        in_rehearsal: bool,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.typing = TypingGuard()
        self.preferences = preferences
        self.in_rehearsal = in_rehearsal
        self.animation_level = "none"
        self._filter_colours()
        self.set_theme(preferences.theme)
        self.fault: RunbookError | None = None
        """Why it could not go on, for the caller to tell."""
        self.run_folder = run_folder
        self.terminal_turn = asyncio.Lock()
        """Held while somebody else has the terminal."""
        self._filters.append(ControlGuard())
        self._roomy = asyncio.Event()
        self._meant: WeakKeyDictionary[events.Key, tuple[Screen[Any], Widget | None]] = WeakKeyDictionary()
        """What was in front, and had the focus, when a key that is on its way was pressed."""
        self._opened: Screen[Any] | None = None
        """The screen that a key opened last."""

    # Look.

    def set_theme(self, name: ThemeName) -> None:
        """Change the look; also while it runs."""
        few = self.console.color_system not in ("256", "truecolor")
        theme = theme_for(name, os.environ, few_colours=few, colour=self.preferences.colour)
        self.theme_name = name
        self.register_theme(theme)
        self.theme = theme.name

    def _filter_colours(self) -> None:
        """Write no colour where none is wanted; Textual would write greys, and for an empty NO_COLOR too."""
        self.no_color = not self.preferences.colour
        self._filters = [one for one in self._filters if not isinstance(one, Monochrome | NoColor)]
        if self.no_color:
            self._filters.append(NoColor())
        elif self.console.color_system == "256":
            from screens.nearest import Nearest

            self._filters.append(Nearest())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return FALLBACKS

    def on_caps_lock(self, message: CapsLock) -> None:
        self.caps_lock = message.on

    def on_mount(self) -> None:
        self._fit(self.size)

    @property
    def code(self) -> ExitCode:
        """The exit code as things stand."""
        raise NotImplementedError

    @property
    def runbook_path(self) -> Path:
        """The file of the runbook."""
        raise NotImplementedError

    def copy_to_clipboard(self, text: str) -> None:
        """What is selected with the mouse and copied goes the same way as what is chosen with Y."""
        from screens.clipboard import put

        self._clipboard = text
        self.run_worker(put(self, text), name="copy", description="copy")

    def write_to_terminal(self, sequence: str) -> None:
        """Write a control sequence of our own."""
        if self._driver is not None:
            self._driver.write(sequence)

    def tell(self, *lines: str, error: bool = False) -> None:
        """Say something in a corner, for a while."""
        said = "\n".join(lines)
        self.notify(f"✗ {said}" if error else said, severity="error" if error else "information", markup=False)

    async def beside(self, doing: Awaitable[object]) -> None:
        """Do something beside the run; what is wrong with it is said, and the run goes on."""
        try:
            await doing
        except RunbookError as error:
            self.tell(*str(error).splitlines(), error=True)

    def fail(self, error: RunbookError) -> None:
        """It cannot go on, for a reason that is told once the screens are gone."""
        self.fault = error
        self.exit(error.exit_code)

    def terminal_lost(self) -> None:
        """Nobody is there any more."""
        self.exit(self.code)

    def _register_child(self, parent: DOMNode, child: Widget, before: int | None, after: int | None) -> None:
        """Whatever comes up listens to the person's own keys, and nothing in it blinks: a line may be slow."""
        if self.preferences.keys:
            child._bindings = rebound(child._bindings, self.preferences.keys)
        if hasattr(child, "cursor_blink"):
            child.cursor_blink = False
        super()._register_child(parent, child, before, after)

    def get_key_display(self, binding: Binding) -> str:
        """As keys are called everywhere here."""
        return binding.key_display or key_name(binding.key)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            meant = self._meant.pop(event, None)
            if meant is not None and meant != (self.screen, self.focused):
                # A key before it in the same packet has opened something; bindings would be looked up there.
                event = events.Key(event.key, event.character)
                if self.screen not in (meant[0], self._opened):
                    self.typing.overtaken()
            if not event.is_forwarded:
                if self.typing.stray():
                    if self.typing.to_tell():
                        self.tell("Keys that you typed as this came up were dropped.", "Pause a moment, then answer.")
                    return
                self._meant[event] = self.screen, self.focused
        await super().on_event(event)

    async def open_screen(self, screen: Screen[T], given: Callable[[T | None], None] | None = None) -> None:
        """Put up what the person's own key opens; it has the focus when this returns, and what they go on to type."""
        await self.push_screen(screen, given)
        self._opened = screen

    # What is asked.

    async def ask(self, prompt: Screen[T | None]) -> T | None:
        """Show a prompt and wait for its answer; None when it was left.

        Where the question is withdrawn (the run was stopped, the step's time is over), the prompt goes away.
        """
        await self._roomy.wait()
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        if self.focused is not None and self.focused.check_consume_key("a", "a"):
            self.typing.interrupted()
        try:  # also while the prompt is still coming up
            await self.push_screen(prompt, lambda given: None if answer.done() else answer.set_result(given))
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

    async def action_help(self) -> None:
        await self.show_help()

    async def show_help(self, about: str = "") -> None:
        """Help on the place one is in; `about`: what is sought in it from the beginning."""
        from screens.help_screen import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            await self.open_screen(HelpScreen(about))

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

    def _handle_exception(self, error: Exception) -> None:
        """Once the end has begun, Textual refuses to mount what was on its way: that is no defect."""
        if not (self._exit and isinstance(error, MountError)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Textual would print every local variable of every frame."""
        error: BaseException = self._exception or RuntimeError()
        if isinstance(error, WorkerFailed):
            error = error.error
        self._exit_renderables.append(Text(crash.report(error, self.run_folder)))
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:  # noqa: ARG002 - Textual's signature
        self._fatal_error()
