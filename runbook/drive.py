"""Drive a run with a transcript: what the plain console and headless runs have in common."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager

import click

from runbook.console import ConsoleOperator
from runbook.errors import ExitCode
from runbook.keyboard import Keyboard
from runbook.narrator import Narrator
from runbook.operator import Operator
from runbook.session import Session
from runbook.transcript import Transcript, result

EXIT_CODES = {"green": ExitCode.GREEN, "failed": ExitCode.FAILED, "stopped": ExitCode.STOPPED}
"""By the state a run ends with."""

_REASONS = {
    signal.SIGINT: "stopped by the operator (ctrl-c)",
    signal.SIGTERM: "asked to end (SIGTERM)",
    signal.SIGHUP: "the terminal has gone away (SIGHUP)",
}


async def drive(session: Session, operator: Operator, narrator: Narrator | None = None) -> ExitCode:
    """Walk the session to its end: narration on stderr, the result on stdout.

    SIGINT, SIGTERM and SIGHUP end the run cleanly. Raises JournalError when the record cannot be written.
    """
    narrator = narrator or Narrator()
    transcript = Transcript(session.runbook, narrator)
    walk = session.start(operator)
    if isinstance(operator, ConsoleOperator):
        operator.take_note = walk.note
    try:
        with _signals(walk.stop):
            async with aclosing(walk.events()) as events:
                async for event in events:
                    transcript.show(event)
    finally:
        await asyncio.to_thread(narrator.close)
    for line in result(session, transcript.state, walk.head):
        click.echo(line)
    return EXIT_CODES[transcript.state.finished]


async def drive_console(session: Session) -> ExitCode:
    """Walk the session with the operator at this plain terminal; raises EnvironmentLacks without one."""
    narrator = Narrator()
    return await drive(session, ConsoleOperator(Keyboard(), narrator), narrator)


@contextmanager
def _signals(stop: Callable[[str], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number, reason in _REASONS.items():
        loop.add_signal_handler(number, stop, reason)
    try:
        yield
    finally:
        for number in _REASONS:
            loop.remove_signal_handler(number)
