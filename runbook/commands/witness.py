"""`runbook witness`: follow a run from another session, and approve what two people must agree to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.commands.looks import look_options

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.preferences import Asked


@click.command()
@click.argument("run", required=False)
@click.option("--as", "name", metavar="NAME", help="Who you are in the site profile; by default by your account.")
@click.option("--key", type=click.Path(path_type=Path), help="Your key: private, or public with an agent or device.")
@click.option("--state", type=click.Path(path_type=Path), help="The driver's state folder, if it is not yours.")
@look_options
def command(*, run: str | None, name: str | None, key: Path | None, state: Path | None, look: Asked) -> ExitCode:
    """Follow RUN as a witness: a run's id or its beginning, or a run's folder; by default the one that is being driven.

    Nothing is changed: what you approve, refuse or note is left for the driver's program. Ends with the run.
    """
    from runbook.commands import front_ends
    from runbook.people.following import Following
    from runbook.record.runs import being_driven, find_journal, runs_of

    preferences = front_ends.preferences(look)
    folder = runs_of(state) if state else None
    path = find_journal(run, folder) if run else being_driven(folder)
    front_ends.require_terminal(plain=preferences.plain)
    following = Following(path, name or "")
    return front_ends.witness(following, key, preferences)
