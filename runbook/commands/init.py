"""`runbook init`: a site profile for a runbook, asked for and written with comments."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.files.loader import Loaded
    from runbook.files.needs import Needs
    from runbook.files.profile_text import Entry
    from runbook.kind import Registry
    from runbook.model import Runbook


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="site.yaml", required=False)
@click.option(
    "--runbook",
    "runbook_path",
    type=click.Path(path_type=Path),
    help="The runbook it is for; by default runbook.yaml here, else the one that came with the program.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: write what is known, and mark what is to be filled in.")
@click.option("--force", is_flag=True, help="Where FILE exists already, ask whether to write over it.")
def command(file: Path, runbook_path: Path | None, defaults: bool, force: bool) -> int:
    """Ask for a site's values and write the site profile FILE (by default site.yaml), with a comment above each key.

    It asks for what the steps of the runbook refer to: inputs, hosts, groups, tokens, engines and people; never for a
    secret. An empty answer takes what is proposed, or leaves the value to be filled in later. Nothing is written before
    the last answer, and ctrl-c writes nothing at all. The JSON Schema site.schema.json is written beside it, from which
    an editor knows what each key means.
    """
    import asyncio

    from runbook.defaults import find_runbook
    from runbook.errors import ExitCode
    from runbook.files.loader import load_runbook
    from runbook.files.needs import needs_of
    from runbook.files.profile_text import FILL_IN, profile_text
    from runbook.files.schema import SITE_SCHEMA, modeline
    from runbook.kind import Registry
    from runbook.private_file import write_private

    overwrite = _may_write(file, force)
    registry = Registry()
    runbook = load_runbook(find_runbook(runbook_path), registry)
    entries = asyncio.run(_ask(runbook, needs_of(runbook, registry), file.absolute(), defaults=defaults))
    model = runbook.model
    heading = (
        f"{modeline(SITE_SCHEMA)}\n"
        f"The site profile for the runbook {model.id}: {model.title}.\n"
        f"A line that ends with `{FILL_IN}` has no value yet; `runbook validate` names each that it needs.\n"
        "No PIN, password or other secret belongs into this file."
    )
    write_private(file, profile_text(heading, entries), overwrite=overwrite)
    _write_schema(file.absolute().parent)
    _tell(file, runbook, registry)
    return ExitCode.GREEN


def _may_write(file: Path, force: bool) -> bool:
    """Whether FILE may be replaced; raises UsageError, EnvironmentLacks, OperatorStopped."""
    from runbook.commands.front_ends import require_terminal
    from runbook.errors import OperatorStopped, UsageError

    if not file.absolute().parent.is_dir():
        raise UsageError("there is no such folder", where=str(file.absolute().parent), remedy="Make it first.")
    if not os.path.lexists(file):
        return False
    if file.is_dir():
        raise UsageError("this is a folder", where=str(file), remedy="Name the file to write.")
    if not force:
        raise UsageError(
            "this file exists already, and is not written over",
            where=str(file),
            remedy="Name another file, or add --force to be asked.",
        )
    require_terminal(plain=True)
    click.echo(f"{file} exists. Write over it? [y/N]: ", err=True, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise OperatorStopped("nothing was written")
    return True


def _write_schema(folder: Path) -> None:
    """What an editor knows the profile's keys from; somebody else's file of that name is left alone."""
    from runbook.files.schema import MADE_BY, SITE_SCHEMA, schema_text, site_schema
    from runbook.private_file import write_private

    file = folder / SITE_SCHEMA
    ours = file.is_file() and MADE_BY in file.read_text(encoding="utf-8", errors="replace")
    if ours or not os.path.lexists(file):
        write_private(file, schema_text(site_schema()), overwrite=ours)


async def _ask(runbook: Loaded[Runbook], needs: Needs, file: Path, *, defaults: bool) -> tuple[Entry, ...]:
    """The keys of the profile; raises EnvironmentLacks where there is no terminal, OperatorStopped."""
    from runbook.plain.questions import AtTerminal, Defaults
    from runbook.plain.site_questions import ask_site

    if defaults:
        return await ask_site(Defaults(), runbook.model, needs, file.parent)
    from runbook.commands.front_ends import require_terminal
    from runbook.terminal.keyboard import Keyboard
    from runbook.terminal.narrator import Narrator

    require_terminal(plain=True)
    narrator = Narrator()
    try:
        narrator.say(f"The site profile {file} for {runbook.path}: {runbook.model.title}")
        narrator.say("An empty line takes what stands in brackets. Ctrl-c ends it, and nothing is written.")
        return await ask_site(AtTerminal(Keyboard(), narrator), runbook.model, needs, file.parent)
    finally:
        narrator.close()


def _tell(file: Path, runbook: Loaded[Runbook], registry: Registry) -> None:
    """What was written, what is wrong with it still, and the next command."""
    from runbook.files.loader import check_site, load_site
    from runbook.files.named import DEFAULT_RUNBOOK
    from runbook.files.problems import InvalidDocument, Severity, render_all
    from runbook.files.profile_text import to_fill_in
    from runbook.files.schema import SITE_SCHEMA
    from runbook.text import clean_line

    try:
        site = load_site(file, runbook)
        problems = (*site.warnings, *check_site(runbook, site, registry))
    except InvalidDocument as error:
        problems = error.problems
    if problems:
        click.echo(render_all(problems), err=True)
    click.echo(f"{clean_line(str(file))} is written, and {SITE_SCHEMA} beside it for editors.")
    left = to_fill_in(file.read_text(encoding="utf-8"))
    if left:
        click.echo(f"{left} {'place is' if left == 1 else 'places are'} to be filled in: each is marked there.")
    named = [] if runbook.path == DEFAULT_RUNBOOK else [str(runbook.path)]
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    for verb in ("validate",) if failed else ("validate", "run"):
        click.echo(f"Next: {clean_line(shlex.join(['runbook', verb, *named, '--site', str(file)]))}")
