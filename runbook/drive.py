"""Drive a run with a transcript: what the plain console and headless runs have in common."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager

import click

from runbook.chain import START, short_head
from runbook.console import ConsoleOperator
from runbook.errors import ExitCode
from runbook.journal import read_records
from runbook.keyboard import Keyboard
from runbook.narrator import Narrator
from runbook.operator import Operator
from runbook.paths import JOURNAL_NAME
from runbook.records import event_of
from runbook.session import Session
from runbook.state import RunState, apply
from runbook.text import clean_line
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
    _print(session, transcript.state, walk.head)
    return EXIT_CODES[transcript.state.finished]


async def drive_console(session: Session) -> ExitCode:
    """Walk the session with the operator at this plain terminal; raises EnvironmentLacks without one."""
    narrator = Narrator()
    return await drive(session, ConsoleOperator(Keyboard(), narrator), narrator)


def say_result(session: Session) -> None:
    """The result of a run that was driven elsewhere, from its record; nothing where no record was begun."""
    path = session.run_folder / JOURNAL_NAME
    if path.is_file():
        state, head = RunState(), START
        for record in read_records(path):
            state, head = apply(state, event_of(record.type, record.fields)), record.hash
        _print(session, state, short_head(head))


def _print(session: Session, state: RunState, head: str) -> None:
    for line in result(session, state, head):
        click.echo(clean_line(line))


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
