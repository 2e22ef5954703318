"""The whole terminal for an interactive command, and back again."""

from __future__ import annotations

from typing import Any

from textual.app import App, SuspendNotSupported

from runbook.errors import EnvironmentLacks
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import run_in_foreground
from screens.driver import TERMINAL


async def hand_over(app: App[Any], request: TerminalRequest) -> int:
    """Run the command with the whole terminal; its exit status, or 128 and its signal.

    Raises EnvironmentLacks where there is no terminal to give, and StepError where it cannot be started.
    """
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
