"""`runbook rollback`: undo what a run has done, the newest first."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.commands.looks import look_options

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.preferences import Asked, Preferences
    from runbook.run.resuming import Left
    from runbook.run.session import Session
    from runbook.run.start import Prepared
    from runbook.secrets import Redactor


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Without a person: every prompt is answered from --answers, or fails.")
@click.option(
    "--answers", type=click.Path(path_type=Path), help="The answers file for --headless; in a rehearsal, the sheet."
)
@click.option("--dry-run", is_flag=True, help="Print what would be undone and what cannot be; nothing else is done.")
@click.option("--head", help="The run's head as it was written on paper; checked before anything is done.")
@look_options
def command(
    *, run: str | None, headless: bool, answers: Path | None, dry_run: bool, head: str | None, look: Asked
) -> ExitCode:
    """Undo what RUN has done: a run's id or its beginning, or `last`; by default the newest.

    The backouts of the actions that were done, or may have been, are walked with their gates, the newest first, as a
    run with a record of its own. What it will walk, and what cannot be undone, is said before. A roll-back that was
    left goes on with `runbook resume`.
    """
    import asyncio

    from runbook.commands import front_ends
    from runbook.errors import UsageError
    from runbook.run.rolling_back import find_done, take_up
    from runbook.secrets import Redactor

    if answers and not headless:
        raise UsageError("--answers is for --headless", remedy="Add --headless, or leave --answers out.")
    preferences = front_ends.preferences(look, headless=headless)
    folder = find_done(run)
    if not (headless or dry_run):
        front_ends.require_terminal(plain=preferences.plain)
    left = asyncio.run(take_up(folder, Redactor(), head, partial(click.echo, err=True)))
    try:
        if dry_run:
            return _say(left, to_stdout=True)
        return _walk(left, preferences, headless=headless, answers=answers)
    finally:
        asyncio.run(left.journal.close())


def _say(left: Left, *, to_stdout: bool) -> ExitCode:
    from runbook.errors import ExitCode
    from runbook.run.rolling_back import prepare

    _tell(left, prepare(left), to_stdout=to_stdout)
    return ExitCode.GREEN


def _walk(left: Left, preferences: Preferences, *, headless: bool, answers: Path | None) -> ExitCode:
    from runbook.commands import front_ends
    from runbook.commands.resume import lab
    from runbook.run.rolling_back import prepare
    from runbook.run.start import start

    def begin(prepared: Prepared, redactor: Redactor) -> Session:
        return start(prepared, redactor, left.journal.close)

    with lab(left) as sheet:
        prepared = prepare(left)
        _tell(left, prepared)
        if headless:
            return front_ends.headless(prepared, answers or sheet, begin, left.redactor)
        return front_ends.walk(prepared, preferences, begin)


def _tell(left: Left, prepared: Prepared, *, to_stdout: bool = False) -> None:
    from runbook.run.changed_files import program_warnings
    from runbook.run.rollback_lines import lines
    from runbook.run.rolling_back import later_runs

    for warning in (*left.warnings, *program_warnings(left), *prepared.warnings):
        click.echo(str(warning), err=True)
    if later := later_runs(left):
        said = "what they did may rest on what is undone here"
        click.echo(f"Later runs of this runbook at this site: {', '.join(later)}; {said}.", err=True)
    assert prepared.rollback is not None  # noqa: S101 - for the type checker; `prepare` made it
    for line in lines(prepared, prepared.rollback):
        click.echo(line, err=not to_stdout)
