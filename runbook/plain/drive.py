"""Drive a run with a transcript: what the plain console and headless runs have in common."""

from __future__ import annotations

import asyncio
import errno
import signal
from contextlib import aclosing

import click

from runbook.errors import ExitCode
from runbook.model import Step
from runbook.operator import Operator
from runbook.paths import JOURNAL_NAME
from runbook.plain.around import Seen
from runbook.plain.console import ConsoleOperator
from runbook.plain.desk import Desk
from runbook.plain.transcript import Transcript, result
from runbook.record.chain import START, short_head
from runbook.record.journal import read_records
from runbook.record.records import event_of
from runbook.record.state import RunState, apply
from runbook.run.session import Session
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator
from runbook.terminal.watchdog import Watchdog
from runbook.text import clean_line

EXIT_CODES = {"green": ExitCode.GREEN, "failed": ExitCode.FAILED, "stopped": ExitCode.STOPPED}
"""By the state a run ends with."""

_REASONS = {
    signal.SIGINT: "stopped by the operator (ctrl-c)",
    signal.SIGTERM: "asked to end (SIGTERM)",
    signal.SIGHUP: "the terminal has gone away (SIGHUP)",
}


async def drive(
    session: Session, operator: Operator, narrator: Narrator | None = None, *, terminal: int | None = None
) -> ExitCode:
    """Walk the session to its end: narration on stderr, the result on stdout.

    SIGINT, SIGTERM and SIGHUP end the run cleanly, or the program where a step holds it up. `terminal` is the one that
    the operator has. Raises JournalError when the record cannot be written.
    """
    narrator = narrator or Narrator()
    transcript = Transcript(session.runbook, narrator, session.history)
    seen = Seen(session.runbook, transcript, session.told)
    walk = session.start(operator)
    if isinstance(operator, ConsoleOperator):
        operator.deciding.desk = Desk(session, walk, seen, operator.lent)

    def at() -> Step | None:
        return session.runbook.step(transcript.state.at) if transcript.state.at else None

    try:
        with Watchdog(_REASONS, walk.stop, at, session.run_id, terminal=terminal):
            async with aclosing(walk.events()) as events:
                async for event in events:
                    transcript.show(event)
                    seen.take(event)
    finally:
        await asyncio.to_thread(narrator.close)
    _print(session, transcript.state, walk.head)
    return EXIT_CODES[transcript.state.finished]


async def drive_console(session: Session) -> ExitCode:
    """Walk the session with the operator at this plain terminal; raises EnvironmentLacks without one."""
    narrator = Narrator()
    keyboard = Keyboard()
    return await drive(session, ConsoleOperator(keyboard, narrator), narrator, terminal=keyboard.fd)


def say_result(session: Session) -> None:
    """The result of a run that was driven elsewhere, from its record; nothing where no record was begun."""
    path = session.run_folder / JOURNAL_NAME
    if path.is_file():
        state, head = RunState(), START
        for record in read_records(path):
            state, head = apply(state, event_of(record.type, record.fields)), record.hash
        _print(session, state, short_head(head))


def _print(session: Session, state: RunState, head: str) -> None:
    try:
        for line in result(session, state, head):
            click.echo(clean_line(line))
    except OSError as error:
        if error.errno != errno.EIO:  # the terminal has gone away, and with it who would read this
            raise
