"""`runbook run`: walk a runbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook.commands.looks import look_options

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.preferences import Asked


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--site", type=click.Path(path_type=Path), help="The site profile; by default site.yaml beside the runbook."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Give an input a value; repeatable.")
@click.option("--stage", "stages", multiple=True, metavar="ID", help="Walk this stage only; repeatable.")
@click.option("--headless", is_flag=True, help="Without a person: every prompt is answered from --answers, or fails.")
@click.option("--answers", type=click.Path(path_type=Path), help="The answers file for --headless.")
@click.option(
    "--dry-run", is_flag=True, help="Print what would be done; touches no device, asks nothing, records nothing."
)
@look_options
def command(
    *,
    file: Path | None,
    site: Path | None,
    settings: tuple[str, ...],
    stages: tuple[str, ...],
    headless: bool,
    answers: Path | None,
    dry_run: bool,
    look: Asked,
) -> ExitCode:
    """Walk the runbook FILE, by default runbook.yaml in the current folder.

    The result goes to stdout, all else to stderr.
    """
    from runbook.commands import front_ends
    from runbook.errors import ExitCode, UsageError

    if answers and not headless:
        raise UsageError("--answers is for --headless", remedy="Add --headless, or leave --answers out.")
    preferences = front_ends.preferences(look, headless=headless)
    runbook, values = _file(file), _settings(settings)
    if not (headless or dry_run or preferences.plain) and front_ends.can_draw():
        code = front_ends.at_once(runbook, site, values, stages, preferences)
        if code is not None:
            return code
    from runbook.run.start import prepare

    # What is wrong with the files is told first: it is wrong with or without a terminal.
    prepared = prepare(runbook, site, values, stages)
    if not (headless or dry_run):
        front_ends.require_terminal(plain=preferences.plain)
    front_ends.say_warnings(prepared)
    if dry_run:
        from runbook.files.selection import require_reachable
        from runbook.run.dry_run import lines

        for line in lines(prepared):
            click.echo(line)
        require_reachable(prepared.runbook.model, prepared.stages)
        return ExitCode.GREEN
    if headless:
        return front_ends.headless(prepared, answers)
    left = front_ends.ask_unfinished(prepared)
    if left is not None:
        from runbook.commands.resume import resume

        return resume(left, preferences)
    return front_ends.walk(prepared, preferences)


def _file(file: Path | None) -> Path:
    from runbook.errors import UsageError
    from runbook.files.named import DEFAULT_RUNBOOK

    if file is None and not DEFAULT_RUNBOOK.is_file():
        raise UsageError(
            f"there is no {DEFAULT_RUNBOOK} here",
            where=str(Path.cwd()),
            remedy="Name the runbook: `runbook run FILE`. To practise in a lab: `runbook rehearse`.",
        )
    return file or DEFAULT_RUNBOOK


def _settings(settings: tuple[str, ...]) -> dict[str, str]:
    from runbook.errors import UsageError

    found: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(
                "this is not NAME=VALUE", where="--set", remedy="For example --set export_usb=/mnt/export."
            )
        if name in found:
            raise UsageError(f"`{name}` is given twice", where="--set")
        found[name] = value
    return found
