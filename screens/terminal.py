"""The whole terminal for an interactive command, and back again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from textual.app import App, SuspendNotSupported

from runbook.children import start
from runbook.errors import EnvironmentLacks
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import die_with

GRACE = 2.0
"""Seconds a command has to end after it was told to."""


async def hand_over(app: App[Any], request: TerminalRequest) -> int:
    """Run the command with the whole terminal; its exit status, negative for a signal.

    Raises EnvironmentLacks where there is no terminal to give, or no such command.
    """
    try:
        with app.suspend(), _left_alone():
            return await _run(request)
    except SuspendNotSupported:
        raise EnvironmentLacks(
            "this terminal cannot be handed to an interactive command", remedy="Run the program in a terminal."
        ) from None
    except OSError as error:
        raise EnvironmentLacks(f"`{request.argv[0]}` cannot be started: {error.strerror}") from error


async def _run(request: TerminalRequest) -> int:
    process = await start(
        *request.argv,
        cwd=request.cwd or None,
        env={**os.environ, **request.env},
        preexec_fn=partial(die_with, os.getpid()),
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()


@contextmanager
def _left_alone() -> Iterator[None]:
    """The keys that interrupt are the command's, not ours, while it has the terminal."""
    kept = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: object) -> None:
    """A handler, and not SIG_IGN, which the command would inherit."""
