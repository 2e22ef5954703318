"""Where the command line enters: a run is shown, and driven or witnessed, and an exit code comes back."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.errors import EnvironmentLacks, ExitCode, JournalError
from runbook.preferences import DEFAULTS, Preferences

if TYPE_CHECKING:
    from runbook.glance import Glance
    from runbook.people.following import Following
    from runbook.run.session import Session
    from screens.base_app import BaseApp
    from screens.opening import Opening

FRAMES = "TEXTUAL_FPS"
"""Textual's setting for the most frames in a second."""

HARMLESS = frozenset({"TEXTUAL_COLOR_SYSTEM", "TEXTUAL_DISABLE_KITTY_KEY", "TEXTUAL_FPS", "TEXTUAL_SMOOTH_SCROLL"})
"""Textual's settings that neither log keys, nor take pictures, nor press keys, nor replace the driver."""


def load() -> None:
    """Import what draws a run; the rest of the program is not needed for that."""
    quiet_environment()
    import screens.app
    import screens.driver  # noqa: F401


def run_session(session: Session | Opening, preferences: Preferences = DEFAULTS) -> ExitCode:
    """Show the run until the operator leaves; its exit code. Of an opening, the session is made behind the screen.

    Raises EnvironmentLacks without a terminal, and what ended the run where it could not go on.
    """
    _need_terminal()
    quiet_environment()
    from screens.app import RunbookApp
    from screens.driver import TerminalDriver

    app = RunbookApp(session, preferences, TerminalDriver)
    app.once_there = _spare_collections
    return _ended(app, app.run(mouse=preferences.mouse))


def _spare_collections() -> None:
    """A full collection takes longer than a frame: it leaves out what was loaded, and comes rarely.

    What is let go of is freed without any; only what refers to itself waits for one.
    """
    gc.freeze()
    gc.set_threshold(2_000, 20, 50)
    gc.enable()


def run_opening(seen: Glance, begin: Callable[[], Session], preferences: Preferences) -> ExitCode:
    """Show what was seen of the files while `begin`, which blocks, makes the session of them; then as `run_session`."""
    from screens.opening import Opening

    return run_session(Opening(seen, begin), preferences)


def run_witness(following: Following, preferences: Preferences = DEFAULTS, key: Path | None = None) -> ExitCode:
    """Show a run that is driven elsewhere until the witness leaves; its exit code. `key`: proposed for signing.

    Raises EnvironmentLacks without a terminal or where the runbook cannot be read, and JournalError for a record that
    is damaged.
    """
    _need_terminal()
    quiet_environment()
    return asyncio.run(_witness(following, preferences, key))


async def _witness(following: Following, preferences: Preferences, key: Path | None) -> ExitCode:
    from screens.driver import TerminalDriver
    from screens.witness_app import WitnessApp

    async with aclosing(following.events()) as happened:
        await anext(happened)
        if following.header is None:
            raise JournalError("the record does not begin with the start of a run", where=str(following.path))
        runbook = await following.runbook()
        if runbook is None:
            raise EnvironmentLacks(
                "the runbook of this run cannot be read from this account, or was changed since",
                where=following.header.runbook_path,
                remedy="`runbook witness --plain` follows without it.",
            )
        app = WitnessApp(
            following, runbook, following.header, happened, preferences, key=key, driver_class=TerminalDriver
        )
        return _ended(app, await app.run_async(mouse=preferences.mouse))


def _ended(app: BaseApp, code: ExitCode | None) -> ExitCode:
    if app.fault is not None:
        raise app.fault
    if app.return_code:
        return ExitCode.FAILED
    return code if code is not None else app.code


def quiet_environment() -> None:
    """Take away Textual's debugging settings: TEXTUAL_DEBUG writes every key that is pressed into a file."""
    for name in list(os.environ):
        if name == "TEXTUAL" or (name.startswith("TEXTUAL_") and name not in HARMLESS):
            del os.environ[name]
    _paint_soon()


def _paint_soon() -> None:
    """A key that comes right after a frame of output waits for the next one: at most 8 ms instead of 17.

    Textual reads its setting once; commands that are run later must not find it.
    """
    chosen = os.environ.get(FRAMES)
    os.environ.setdefault(FRAMES, "120")
    import textual.constants  # noqa: F401

    if chosen is None:
        del os.environ[FRAMES]


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise EnvironmentLacks(
            "there is no terminal to draw on",
            remedy="Use `--plain` for numbered lines and questions, or `--headless` with `--answers`.",
        )
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise EnvironmentLacks(
            f"the terminal cannot draw screens (TERM is `{os.environ.get('TERM', '')}`)", remedy="Use `--plain`."
        )
