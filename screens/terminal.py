"""The whole terminal for an interactive command, and back again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from runbook.errors import EnvironmentLacks
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import run_in_foreground
from screens.driver import TERMINAL

if TYPE_CHECKING:
    from runbook.editor import Lend
    from screens.base_app import BaseApp


def lender(app: BaseApp) -> Lend:
    """Gives this application's terminal to a command."""
    return partial(hand_over, app)


async def hand_over(app: BaseApp, request: TerminalRequest) -> int:
    """Run the command with the whole terminal; its exit status, or 128 and its signal. One at a time.

    Raises EnvironmentLacks where there is no terminal to give, and StepError where it cannot be started.
    """
    async with app.terminal_turn:
        return await _lend(app, request)


async def _lend(app: BaseApp, request: TerminalRequest) -> int:
    code, failure = 0, None
    try:
        # What is raised inside would leave the application away for ever: it comes back first.
        with app.suspend():
            try:
                code = await run_in_foreground(request, TERMINAL)
            except BaseException as error:  # noqa: BLE001 - raised below
                failure = error
    except SuspendNotSupported:
        raise EnvironmentLacks(
            "this terminal cannot be handed to an interactive command", remedy="Run the program in a terminal."
        ) from None
    if failure is not None:
        raise failure
    return code
