"""`runbook validate`: everything that is wrong with a runbook and the site profile, at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.files.problems import Problem


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="runbook.yaml", required=False)
@click.option("--site", type=click.Path(path_type=Path), help="Check it against this site profile too.")
def command(file: Path, site: Path | None) -> int:
    """Show every problem of FILE (by default runbook.yaml) and, with --site, of the site profile.

    Problems go to stderr, the verdict to stdout. Warnings alone leave the exit status at 0.
    """
    from runbook.errors import ExitCode
    from runbook.files.problems import Severity, render_all, verdict
    from runbook.text import clean_line

    problems = _problems(file, site)
    if problems:
        click.echo(render_all(problems), err=True)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    names = clean_line(str(file)) + (f" with {clean_line(str(site))}" if site else "")
    said = "" if not problems else f": {verdict(problems)}"
    click.echo(f"{names} {'cannot be used' if failed else 'is valid'}{said}")
    return ExitCode.USAGE if failed else ExitCode.GREEN


def _problems(file: Path, site: Path | None) -> list[Problem]:
    """Of the runbook, of the site profile, and, where both can be read, of the two together."""
    from runbook.files.loader import check_site, load_runbook, load_site
    from runbook.files.problems import InvalidDocument
    from runbook.kind import Registry

    registry = Registry()
    problems: list[Problem] = []
    runbook = profile = None
    try:
        runbook = load_runbook(file, registry)
        problems += runbook.warnings
    except InvalidDocument as error:
        problems += error.problems
    try:
        profile = load_site(site, runbook) if site else None
        problems += profile.warnings if profile else ()
    except InvalidDocument as error:
        problems += error.problems
    if runbook and profile:
        problems += check_site(runbook, profile, registry)
    return problems
