"""`runbook resume`: go on with a run that was left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.resuming import Left


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Without a person: every prompt is answered from --answers, or fails.")
@click.option(
    "--answers", type=click.Path(path_type=Path), help="The answers file for --headless; in a rehearsal, the sheet."
)
@click.option("--plain", is_flag=True, help="Numbered lines and questions instead of screens; also for screen readers.")
@click.option("--head", help="The head as it was written on paper; checked before anything is done.")
def command(*, run: str | None, headless: bool, answers: Path | None, plain: bool, head: str | None) -> ExitCode:
    """Go on with RUN where it was left: a run's id or its beginning, or `last`; by default the newest that is not over.

    What was done is not done again. A step that had begun and not ended is in doubt: a check is run again, of an action
    the probe is asked, and you decide.
    """
    import asyncio

    from runbook import resuming
    from runbook.commands import front_ends
    from runbook.errors import UsageError
    from runbook.secrets import Redactor

    if answers and not headless:
        raise UsageError("--answers is for --headless", remedy="Add --headless, or leave --answers out.")
    front_ends.check_choice(headless=headless, plain=plain)
    folder = resuming.find_left(run)
    if not headless:
        front_ends.require_terminal(plain=plain)
    left = asyncio.run(resuming.take_up(folder, Redactor(), head))
    try:
        if not left.header.rehearsal:
            return _walk(left, headless=headless, answers=answers, plain=plain)
        from rehearsal.again import lab_of

        with lab_of(Path(left.header.site_path)) as lab:
            sheet = lab.sheet if lab and headless else None
            return _walk(left, headless=headless, answers=answers or sheet, plain=plain)
    finally:
        asyncio.run(left.journal.close())


def _walk(left: Left, *, headless: bool, answers: Path | None, plain: bool) -> ExitCode:
    from runbook import resuming
    from runbook.commands import front_ends

    prepared = resuming.read_again(left)
    for warning in (*left.warnings, *prepared.warnings):
        click.echo(str(warning), err=True)
    session = resuming.go_on(left, prepared)
    if headless:
        return front_ends.headless(prepared, answers, lambda *_: session, left.redactor)
    front_end = front_ends.plain if plain else front_ends.screens
    return front_end(prepared, lambda *_: session)
