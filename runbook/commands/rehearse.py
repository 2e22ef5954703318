"""`runbook rehearse`: make a lab, and walk the same runbook in it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rehearsal.lab import Lab

FAULTS = ("wrong-dongle", "tampered-export", "wrong-paper")
"""The values of rehearsal.faults.Fault, known here without importing the lab."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--headless", is_flag=True, help="Without a person: the lab's paper sheet answers every prompt.")
@click.option("--plain", is_flag=True, help="Numbered lines and questions instead of screens; also for screen readers.")
@click.option("--fault", type=click.Choice(FAULTS), help="Drill: something in the lab is not as it should be.")
@click.option("--stage", "stages", multiple=True, metavar="ID", help="Walk this stage only; repeatable.")
@click.option("--folder", type=click.Path(path_type=Path), help="Make the lab in this empty folder, and keep it.")
@click.option("--keep", is_flag=True, help="Keep the lab; by default it is removed at the end.")
def command(
    *,
    file: Path | None,
    headless: bool,
    plain: bool,
    fault: str | None,
    stages: tuple[str, ...],
    folder: Path | None,
    keep: bool,
) -> int:
    """Make a lab and walk FILE in it: by default runbook.yaml in the current folder, else the one that came along.

    The lab is a token in software, a ceremony's export, a git repository, a paper sheet and a site profile, in a
    private folder. Everything in it is real work on practice material. The record of the run stays.
    """
    from rehearsal.faults import Fault
    from rehearsal.lab import make_lab
    from runbook.commands import front_ends
    from runbook.defaults import find_runbook
    from runbook.start import prepare

    front_ends.check_choice(headless=headless, plain=plain)
    runbook = find_runbook(file)
    drill = Fault(fault) if fault else None
    _stop_on_signals()
    lab = make_lab(folder, drill, lambda part: click.echo(f"rehearsal: making {part}", err=True))
    try:
        prepared = prepare(runbook, lab.site, stages=stages)
        for warning in prepared.warnings:
            click.echo(str(warning), err=True)
        _introduce(lab)
        if headless:
            return front_ends.headless(prepared, lab.sheet)
        _wait_for_person(lab)
        return front_ends.plain(prepared) if plain else front_ends.screens(prepared)
    finally:
        if keep or folder:
            click.echo(
                f"rehearsal: the lab stays in {lab.folder}; its sheet holds a PIN, so delete it some day", err=True
            )
        else:
            lab.remove()


def _stop_on_signals() -> None:
    """SIGTERM and SIGHUP remove the lab like the end of the run does; the front ends have handlers of their own."""
    import signal

    from runbook.errors import OperatorStopped

    def stop(number: int, _frame: object) -> None:
        raise OperatorStopped(f"asked to end ({signal.Signals(number).name})")

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _introduce(lab: Lab) -> None:
    click.echo(f"rehearsal: the paper sheet is {lab.sheet}", err=True)
    if lab.fault:
        click.echo(f"rehearsal: a drill: {lab.fault.story}", err=True)


def _wait_for_person(lab: Lab) -> None:
    """Let the person put the sheet where they can read it; ctrl-c or the end of input stops here."""
    from runbook.errors import OperatorStopped

    click.echo("\nThe sheet stands for the paper in the safe. Open it in a second terminal:\n", err=True)
    click.echo(f"    less {shlex.quote(str(lab.sheet))}\n", err=True)
    click.echo("Press Enter to begin. ", err=True, nl=False)
    if not sys.stdin.readline():
        raise OperatorStopped("stopped before it began")
