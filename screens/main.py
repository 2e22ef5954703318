"""Where the command line enters: a session is shown and walked, and an exit code comes back."""

from __future__ import annotations

import os
import sys

from runbook.errors import EnvironmentLacks, ExitCode
from runbook.session import Session

HARMLESS = frozenset({"TEXTUAL_COLOR_SYSTEM", "TEXTUAL_DISABLE_KITTY_KEY", "TEXTUAL_FPS", "TEXTUAL_SMOOTH_SCROLL"})
"""Textual's settings that neither log keys, nor take pictures, nor press keys, nor replace the driver."""


def run_session(session: Session, *, mouse: bool = True) -> ExitCode:
    """Show the run until the operator leaves; its exit code.

    Raises EnvironmentLacks without a terminal, and what ended the run where it could not go on.
    """
    _need_terminal()
    quiet_environment()
    from screens.app import RunbookApp
    from screens.driver import TerminalDriver

    app = RunbookApp(session, TerminalDriver)
    code = app.run(mouse=mouse)
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
