"""`runbook verify`: is the record the one that was written?"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run")
@click.option("--head", help="The head as it was written on paper, for example '3F9A 07C1 52DE 88B0 41A6'.")
@click.option(
    "--signers",
    type=click.Path(path_type=Path),
    help="An allowed-signers file (ssh-keygen(1)): every approval on record is checked against it.",
)
def command(run: str, head: str | None, signers: Path | None) -> int:
    """Check every byte of the record of RUN: a run's id or its beginning, `last`, or a journal file.

    The files attached to it are checked too. Exit status 0: intact; 1: changed, and each change is named, or an
    approval does not hold; 2: there is no such run.
    """
    from runbook.errors import ExitCode, UsageError
    from runbook.record.chain import short_head
    from runbook.record.runs import find_journal
    from runbook.record.verify import verify, verify_attachments
    from runbook.text import clean_line

    path = find_journal(run)
    try:
        found = verify(path, head)
        verify_attachments(found)
    except OSError as error:
        raise UsageError(f"the journal cannot be read: {error.strerror}", where=str(path)) from error
    state = found.state
    mark = " (a rehearsal)" if state.rehearsal else ""
    click.echo(f"journal  {path}")
    click.echo(f"run      {clean_line(state.run_id) or 'unknown'}{mark}")
    if state.rolls_back:
        head_then = clean_line(short_head(state.rolls_back_head))
        click.echo(f"of       a roll-back of {clean_line(state.rolls_back)}, whose head was {head_then}")
    click.echo(f"state    {clean_line(state.finished) or 'not finished'}")
    click.echo(f"records  {found.records}")
    click.echo(f"attached {len(found.attached)}")
    click.echo(f"head     {short_head(found.head)}")
    for note in found.notes:
        click.echo(f"note     {note}")
    if not found.intact:
        for problem in found.problems:
            click.echo(f"CHANGED  {problem}")
        click.echo(f"The record is not the one that was written: {_count(len(found.problems))}.")
        return ExitCode.FAILED
    if signers is not None and not _approved(path, signers):
        return ExitCode.FAILED
    if found.head_given:
        click.echo("Intact, and it ends with the head on paper: nothing was changed, removed or added.")
    else:
        click.echo("Intact: no record was changed, removed, moved or added between the first and the last.")
        click.echo("Not checked without --head: whether records were cut off the end, or the whole file rewritten.")
    return ExitCode.GREEN


def _approved(path: Path, signers: Path) -> bool:
    """Whether every approval of an intact record holds; says so for each."""
    import asyncio

    from runbook.errors import UsageError
    from runbook.people.approval_check import verify_approvals
    from runbook.record.journal import read_records
    from runbook.record.records import event_of
    from runbook.text import clean_line

    if not signers.is_file():
        raise UsageError(
            "there is no such file", where=clean_line(str(signers)), remedy="Name an allowed-signers file."
        )
    events = ((event_of(record.type, record.fields), record.prev) for record in read_records(path))
    checked = asyncio.run(verify_approvals(events, signers))
    for one in checked:
        where = ", at the driver's keyboard" if one.at_keyboard else ""
        click.echo(f"approval {clean_line(f'{one.step} by {one.witness}, {one.key}, {one.at}{where}')}")
        if one.problem:
            click.echo(f"REFUSED  {clean_line(one.problem)}")
    if not checked:
        click.echo("approval none is on record")
    refused = sum(bool(one.problem) for one in checked)
    if refused:
        click.echo(f"The record is as it was written, but approvals in it do not hold: {_count(refused)}.")
    return not refused


def _count(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"
