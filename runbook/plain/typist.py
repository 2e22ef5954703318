"""Types a file's answers at the prompts of an interactive command, on a terminal of its own (`--headless`)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from runbook.errors import PromptCancelled
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import die_with

if TYPE_CHECKING:
    import pexpect

    Child = pexpect.spawn[Any]

PATIENCE = 60.0
"""Seconds that the next prompt may take to appear."""

SILENCE = 600.0
"""Seconds without a word, once everything was typed, after which the command is taken to wait for somebody."""


class Line(Protocol):
    """What is typed, and at which prompt."""

    @property
    def when(self) -> str:
        """A regular expression (Python's `re`) that the command's output must match first."""
        ...

    def keys(self) -> bytes:
        """What is typed, without the line's end."""
        ...


async def type_answers(request: TerminalRequest, lines: Sequence[Line]) -> int:
    """Run the command, type each line once its prompt was seen, and return the exit status, or 128 and its signal.

    Raises PromptCancelled where it cannot be started, a prompt does not come, or it asks for more than is typed.
    """
    import pexpect

    name = request.argv[0]
    try:
        child = pexpect.spawn(
            name,
            list(request.argv[1:]),
            cwd=request.cwd,
            env={**os.environ, **request.env},
            timeout=PATIENCE,
            preexec_fn=partial(die_with, os.getpid()),
            encoding=None,
        )
    except pexpect.ExceptionPexpect as error:
        raise PromptCancelled(f"{name} cannot be started", remedy="Look whether it is installed.") from error
    try:
        await _converse(child, lines, name)
    finally:
        # It looks several times whether the command has ended, with pauses.
        await asyncio.shield(asyncio.to_thread(child.close, force=True))
    return int(child.exitstatus if child.exitstatus is not None else 128 + (child.signalstatus or 0))


async def _converse(child: Child, lines: Sequence[Line], name: str) -> None:
    for line in lines:
        if not await _prompted(child, line.when, name):
            return  # it has ended
        child.sendline(line.keys())
    while await _goes_on(child, name):
        pass


async def _prompted(child: Child, pattern: str, name: str) -> bool:
    """Whether the prompt came; false: the command ended before."""
    import pexpect

    try:
        found = await _expect(child, [pattern.encode(), pexpect.EOF], PATIENCE)
    except pexpect.TIMEOUT:
        raise PromptCancelled(
            f"{name} did not ask for `{pattern}` within {PATIENCE:g} seconds",
            remedy="Correct `typed` in the answers file, or run this step at a terminal.",
        ) from None
    return found == 0


async def _goes_on(child: Child, name: str) -> bool:
    import pexpect

    try:
        return await _expect(child, [rb"(?s).+", pexpect.EOF], SILENCE) == 0
    except pexpect.TIMEOUT:
        raise PromptCancelled(
            f"{name} has said nothing for {SILENCE:g} seconds and may wait for an answer that the file does not have",
            remedy="Add it to `typed` in the answers file, or run this step at a terminal.",
        ) from None


async def _expect(child: Child, patterns: list[Any], seconds: float) -> int:
    found: int = await child.expect(patterns, timeout=seconds, async_=True)
    return found
