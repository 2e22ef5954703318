"""`runbook resume`: go on with a run that was left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Without a person: every prompt is answered from --answers, or fails.")
@click.option(
    "--answers", type=click.Path(path_type=Path), help="The answers file for --headless; in a rehearsal, the sheet."
)
@click.option("--head", help="The head as it was written on paper; checked before anything is done.")
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Go on although the runbook or the site profile was changed, once two people agree; a deviation.",
)
@look_options
def command(
    *, run: str | None, headless: bool, answers: Path | None, head: str | None, accept_changes: bool, look: Asked
) -> ExitCode:
    """Go on with RUN where it was left: a run's id or its beginning, or `last`; by default the newest that is not over.

    What was done is not done again. A step that had begun and not ended is in doubt: a check is run again, of an action
    the probe is asked, and you decide.
    """
    from runbook.commands import front_ends
    from runbook.errors import UsageError
    from runbook.run.resuming import find_left

    if answers and not headless:
        raise UsageError("--answers is for --headless", remedy="Add --headless, or leave --answers out.")
    preferences = front_ends.preferences(look, headless=headless)
    folder = find_left(run)
    if not headless:
        front_ends.require_terminal(plain=preferences.plain)
    return resume(folder, preferences, headless=headless, answers=answers, head=head, accept_changes=accept_changes)


def resume(
    folder: Path,
    preferences: Preferences,
    *,
    headless: bool = False,
    answers: Path | None = None,
    head: str | None = None,
    accept_changes: bool = False,
) -> ExitCode:
    """Go on with the run of this folder; what is wrong is told before anything is done."""
    import asyncio

    from runbook.commands import front_ends
    from runbook.run.resuming import take_up
    from runbook.secrets import Redactor

    left = asyncio.run(take_up(folder, Redactor(), head, partial(click.echo, err=True)))
    try:
        with lab(left) as sheet:
            session, prepared = _session(left, accept_changes=accept_changes)
            if headless:
                return front_ends.headless(prepared, answers or sheet, lambda *_: session, left.redactor)
            return front_ends.walk(prepared, preferences, lambda *_: session)
    finally:
        asyncio.run(left.journal.close())


@contextlib.contextmanager
def lab(left: Left) -> Iterator[Path | None]:
    """Inside, the lab of a rehearsal can be used; its sheet, which is an answers file."""
    if not left.header.rehearsal:
        yield None
        return
    from rehearsal.again import lab_of

    with lab_of(Path(left.header.site_path)) as lab:
        yield lab.sheet if lab else None


def _session(left: Left, *, accept_changes: bool) -> tuple[Session, Prepared]:
    from runbook.run.changed_files import changes_of, program_warnings, require_unchanged
    from runbook.run.resuming import go_on, read_again
    from runbook.run.rolling_back import again

    prepared = read_again(left)
    if left.header.rolls_back:
        prepared = again(left, prepared)
    changes = changes_of(left, prepared)
    require_unchanged(left, changes, accept=accept_changes)
    session = go_on(left, prepared, changes)
    for warning in (*left.warnings, *program_warnings(left), *prepared.warnings):
        click.echo(str(warning), err=True)
    return session, prepared
