"""`runbook checks`: the kinds of steps that are installed, and what one of them takes."""

from __future__ import annotations

import click


@click.command()
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """List the checks and actions, or print what KIND takes, reports and shows."""
    from runbook.files.describe import describe, listing
    from runbook.kind import Registry

    registry = Registry()
    for line in describe(registry, kind) if kind else listing(registry):
        click.echo(line)
