"""A shell for the operator while the run is paused: nothing of the run is at work meanwhile, and it is on record."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.children import unbroken
from runbook.errors import UsageError
from runbook.operator import TerminalRequest
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.record.state import Status

if TYPE_CHECKING:
    from runbook.run.engine import Engine

Lend = Callable[[TerminalRequest], Awaitable[int]]
"""Gives the terminal to the command; its exit status, or 128 and its signal."""

RUN, STEP = "HSM_RUNBOOK_RUN", "HSM_RUNBOOK_STEP"
"""What tells the shell where it is, for a prompt that shows it."""

_LAST_RESORT = "/bin/sh"


class Shells:
    """The shells of one run, one at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._open: asyncio.Task[int] | None = None

    async def open(self, step: str, lend: Lend) -> int:
        """Until the shell ends; its exit status, or 128 and its signal.

        Raises UsageError while a step is at work or where nothing more is recorded, and StepError where it cannot be
        started. When the run ends meanwhile, so does the shell.
        """
        state = self._engine.state
        if self._open is not None:
            raise UsageError("a shell is open already")
        if state.finished or self._engine.ending:
            raise UsageError(
                "the run is over, and nothing is recorded any more", remedy="Leave, and use your own shell."
            )
        if state.at and state.step(state.at).status in (Status.RUNNING, Status.NEEDS_YOU):
            raise UsageError(
                f"{state.at} is at work", remedy="Wait for its end, or leave its prompt; then the shell can be opened."
            )
        self._open = asyncio.create_task(self._away(step, lend), name="shell")
        try:
            return await asyncio.shield(self._open)
        except asyncio.CancelledError:
            await unbroken(self.close())
            raise
        finally:
            self._open = None

    def call_off(self) -> None:
        """End the shell that is open; told twice, it would not wait for what it has to put in order."""
        if self._open is not None and not self._open.cancelling():
            self._open.cancel()

    async def close(self) -> None:
        """The same, and wait until that is on record."""
        if self._open is not None and not self._open.done():
            self.call_off()
            await asyncio.wait([self._open])

    async def _away(self, step: str, lend: Lend) -> int:
        engine = self._engine
        shell = await asyncio.to_thread(program, os.environ)
        folder = str(engine.plan.folder)
        await engine.record(ShellOpened(step, shell, folder))
        status: int | None = None
        try:
            status = await lend(
                TerminalRequest(
                    (shell,),
                    folder,
                    {RUN: engine.plan.header.run_id, STEP: step},
                    withheld=frozenset(name for name, value in os.environ.items() if engine.redactor.finds(value)),
                    announced=announcement(step, folder),
                )
            )
        finally:
            await engine.record(ShellEnded(step, status))
        return status


def announcement(step: str, folder: str) -> tuple[str, ...]:
    """What stands above the shell."""
    return (
        "",
        f"The run is paused{f' at {step}' if step else ''}. This is your own shell, in {folder}.",
        "What you type here is not recorded, only that it was opened and how it ends.",
        "  exit   (or ctrl-d) goes back to the run; what still runs in the background then is ended.",
        "",
    )


def program(environment: Mapping[str, str]) -> str:
    """The person's shell: SHELL, else that of the account, else sh; blocking."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        account = ""
    for name in (environment.get("SHELL", ""), account):
        if name.startswith("/") and Path(name).is_file() and os.access(name, os.X_OK):
            return name
    return _LAST_RESORT
