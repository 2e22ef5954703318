"""`runbook rehearse`: make a lab, and walk the same runbook in it."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rehearsal.faults import Fault
from rehearsal.token import TokenKind
from runbook.commands.looks import look_options

if TYPE_CHECKING:
    from rehearsal.lab import Lab
    from runbook.errors import ExitCode
    from runbook.preferences import Asked

_AUTO = "auto"

_AGAIN = 0.05
"""Seconds until a signal that came too early is tried again."""


def _list_faults(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        for fault in Fault:
            drill = fault.drill
            needs = "--full" if drill.needs_full else "a card" if drill.needs_card else ""
            click.echo(f"{fault}{f' (needs {needs})' if needs else ''}")
            click.echo(f"    {drill.story}")
            click.echo(f"    shows at {drill.shows}")
        ctx.exit()


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--headless", is_flag=True, help="Without a person: the lab's paper sheet answers every prompt.")
@click.option(
    "--fault",
    type=click.Choice([fault.value for fault in Fault]),
    metavar="FAULT",
    help="Drill: something in the lab is not as it should be. --list-faults explains them.",
)
@click.option(
    "--list-faults",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_list_faults,
    help="Show each fault, what it is like, and the step where it shows; then end.",
)
@click.option(
    "--token",
    type=click.Choice([_AUTO, *(kind.value for kind in TokenKind)]),
    default=_AUTO,
    show_default=True,
    help="A SmartCard-HSM in software behind the real pcscd and OpenSC, or SoftHSM2. auto: a card where it can run.",
)
@click.option(
    "--full",
    is_flag=True,
    help="With a Docker engine and a real CA whose keys are on the card, for every stage. As root on Debian only.",
)
@click.option("--clean", is_flag=True, help="Remove what full labs share on this machine (the base image), and end.")
@click.option("--stage", "stages", multiple=True, metavar="ID", help="Walk this stage only; repeatable.")
@click.option("--folder", type=click.Path(path_type=Path), help="Make the lab in this empty folder, and keep it.")
@click.option("--keep", is_flag=True, help="Keep the lab; by default it is removed at the end.")
@click.option(
    "--serve",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="LAB",
    help="Only put the card of a kept lab into a reader again, until ctrl-c.",
)
@click.option(
    "--mend",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="LAB",
    help="Put right what the drill in this lab made wrong, from a second terminal: the card back in, pcscd started.",
)
@look_options
def command(
    *,
    file: Path | None,
    headless: bool,
    fault: str | None,
    token: str,
    full: bool,
    clean: bool,
    stages: tuple[str, ...],
    folder: Path | None,
    keep: bool,
    serve: Path | None,
    mend: Path | None,
    look: Asked,
) -> ExitCode:
    """Make a lab and walk FILE in it: by default runbook.yaml in the current folder, else the one that came along.

    The lab is a token in software, a ceremony's export, a git repository, a paper sheet and a site profile, in a
    private folder. Everything in it is real work on practice material. The record of the run stays. With --full there
    are a Docker engine and a CA too, and every step can be walked (docs/rehearsal.md).
    """
    from rehearsal.lab import make_lab
    from rehearsal.stay import staying
    from runbook.commands import front_ends
    from runbook.defaults import find_runbook
    from runbook.files.loader import load_runbook
    from runbook.files.selection import require_reachable, select
    from runbook.kind import Registry
    from runbook.run.start import prepare

    if serve:
        return _serve(serve)
    if mend:
        from rehearsal.mending import put_right
        from runbook.errors import ExitCode

        put_right(mend)
        click.echo("rehearsal: put right; try the step again")
        return ExitCode.GREEN
    if clean:
        from rehearsal.full.cleaning import clean_up
        from runbook.errors import ExitCode

        clean_up(_tell)
        return ExitCode.GREEN
    preferences = front_ends.preferences(look, headless=headless)
    _check_full(full=full, token=token)
    runbook = find_runbook(file)
    # Before a lab is made for nothing.
    model = load_runbook(runbook, Registry()).model
    require_reachable(model, select(model, stages))
    if not headless:
        front_ends.require_terminal(plain=preferences.plain)
    drill = Fault(fault) if fault else None
    kind = None if token == _AUTO else TokenKind(token)
    _stop_on_signals()
    lab = make_lab(folder, drill, _say, token=kind, runbook=model, kept=bool(keep or folder), full=full)
    if lab.mark.token is TokenKind.CARD:
        _say("the card's reader, and the engine" if full else "the card's reader")
    with staying(lab.folder, lab.mark):
        prepared = prepare(runbook, lab.site, stages=stages)
        for warning in prepared.warnings:
            click.echo(str(warning), err=True)
        _introduce(lab)
        if headless:
            return front_ends.headless(prepared, lab.sheet)
        _wait_for_person(lab)
        return front_ends.walk(prepared, preferences)


def _serve(folder: Path) -> ExitCode:
    """The card of a kept lab in a reader, until somebody ends it."""
    import signal

    from rehearsal import mark
    from rehearsal.reader import CardReader
    from rehearsal.smartcard import CardPlaces
    from runbook.errors import ExitCode, OperatorStopped, UsageError

    lab = folder.resolve()
    if not CardPlaces(lab).state.is_file():
        raise UsageError(
            "this is no kept lab with a card",
            where=str(lab),
            remedy="Make one: `runbook rehearse --token card --folder LAB`. A lab on SoftHSM2 needs no reader.",
        )
    said = mark.read(lab)
    full = said is not None and said.full
    _stop_on_signals()
    with contextlib.suppress(OperatorStopped, KeyboardInterrupt), CardReader(lab, standing=True, full=full):
        site = shlex.quote(str(lab / "site.yaml"))
        click.echo(f"rehearsal: the card is in its reader until ctrl-c; runbook run --site {site}", err=True)
        while True:
            signal.pause()
    return ExitCode.GREEN


def _check_full(*, full: bool, token: str) -> None:
    from runbook.errors import UsageError

    if full and token == TokenKind.SOFTHSM:
        raise UsageError(
            "the full lab's CA reaches its keys through pcscd, and SoftHSM2 has none",
            where="--full --token softhsm",
            remedy="Leave --token out.",
        )


def _tell(line: str) -> None:
    click.echo(f"rehearsal: {line}", err=True)


def _say(part: str) -> None:
    click.echo(f"rehearsal: making {part}", err=True)


def _stop_on_signals() -> None:
    """SIGTERM and SIGHUP remove the lab like the end of the run does; the front ends have handlers of their own."""
    import asyncio
    import os
    import signal

    from runbook.errors import OperatorStopped

    def stop(number: int, _frame: object) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise OperatorStopped(f"asked to end ({signal.Signals(number).name})") from None
        # A front end has begun and does not listen yet; an exception in its loop would be anybody's.
        loop.call_later(_AGAIN, os.kill, os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _introduce(lab: Lab) -> None:
    click.echo(f"rehearsal: the paper sheet is {lab.sheet}", err=True)
    if lab.mark.fault:
        click.echo(f"rehearsal: a drill: {lab.mark.fault.drill.story}", err=True)
        if lab.mark.fault.drill.mendable:
            again = f"runbook rehearse --mend {shlex.quote(str(lab.folder))}"
            click.echo(f"rehearsal: to put it right, once it has shown, from a second terminal: {again}", err=True)


def _wait_for_person(lab: Lab) -> None:
    """Let the person put the sheet where they can read it; ctrl-c or the end of input stops here."""
    from runbook.errors import OperatorStopped

    click.echo("\nThe sheet stands for the paper in the safe. Open it in a second terminal:\n", err=True)
    click.echo(f"    less {shlex.quote(str(lab.sheet))}\n", err=True)
    click.echo("Press Enter to begin. ", err=True, nl=False)
    if not sys.stdin.readline():
        raise OperatorStopped("stopped before it began")
