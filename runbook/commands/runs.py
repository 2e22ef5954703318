"""`runbook runs`: the recorded runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.record.runs import RunSummary


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(as_json: bool) -> None:
    """List the recorded runs, the oldest first.

    What is shown is read from the records as they lie there; `runbook verify` checks one.
    """
    import json
    from dataclasses import asdict

    from runbook.paths import runs_folder
    from runbook.record.runs import list_runs

    found = list_runs()
    if as_json:
        click.echo(json.dumps([asdict(run) | {"folder": str(run.folder)} for run in found], indent=2))
        return
    if not found:
        click.echo(f"no runs in {runs_folder()}", err=True)
        return
    rows = [("RUN", "STARTED", "STATE", "RUNBOOK", "OPERATOR", "")]
    rows += [(run.run_id, run.started[:19] + "Z", run.state, run.runbook, run.operator, _marks(run)) for run in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _marks(run: RunSummary) -> str:
    undone = f"rolled back by {run.rolled_back_by}" if run.rolled_back_by else ""
    undoes = f"rolls back {run.rolls_back}" if run.rolls_back else ""
    return ", ".join(mark for mark in ("rehearsal" if run.rehearsal else "", undone, undoes) if mark)
