"""`runbook verify`: is the record the one that was written?"""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--head", help="The head as it was written on paper, for example '3F9A 07C1 52DE 88B0 41A6'.")
def command(run: str, head: str | None) -> int:
    """Check every byte of the record of RUN: a run's id or its beginning, `last`, or a journal file.

    Exit status 0: intact; 1: changed, and each changed record is named; 2: there is no such run.
    """
    from runbook.chain import short_head
    from runbook.errors import ExitCode, UsageError
    from runbook.runs import find_journal
    from runbook.text import clean_line
    from runbook.verify import verify

    path = find_journal(run)
    try:
        found = verify(path, head)
    except OSError as error:
        raise UsageError(f"the journal cannot be read: {error.strerror}", where=str(path)) from error
    state = found.state
    mark = " (a rehearsal)" if state.rehearsal else ""
    click.echo(f"journal  {path}")
    click.echo(f"run      {clean_line(state.run_id) or 'unknown'}{mark}")
    click.echo(f"state    {clean_line(state.finished) or 'not finished'}")
    click.echo(f"records  {found.records}")
    click.echo(f"head     {short_head(found.head)}")
    for note in found.notes:
        click.echo(f"note     {note}")
    if not found.intact:
        for problem in found.problems:
            click.echo(f"CHANGED  {problem}")
        click.echo(f"The record is not the one that was written: {_count(len(found.problems))}.")
        return ExitCode.FAILED
    if found.head_given:
        click.echo("Intact, and it ends with the head on paper: nothing was changed, removed or added.")
    else:
        click.echo("Intact: no record was changed, removed, moved or added between the first and the last.")
        click.echo("Not checked without --head: whether records were cut off the end, or the whole file rewritten.")
    return ExitCode.GREEN


def _count(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"
