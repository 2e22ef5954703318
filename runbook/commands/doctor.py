"""`runbook doctor`: what this machine has of what a run needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from checks.doctor.finding import Finding
    from runbook.errors import ExitCode
    from runbook.site import Site

_INDENT = " " * 11
_WIDTH = 80


@click.command()
@click.option(
    "--site", type=click.Path(path_type=Path), help="The site profile; by default the one that `runbook run` would use."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(site: Path | None, as_json: bool) -> ExitCode:
    """Look at modules, tokens, pcscd, programs, SSH agent, Docker engines and the terminal; say what to do.

    Nothing is changed, no PIN is asked for, no host is connected to. Exit status 0: nothing that is needed is missing;
    2: the site profile cannot be used; 4: something that is needed is missing or wrong.
    """
    import asyncio
    import json
    from dataclasses import asdict

    from checks.doctor.examine import examine
    from checks.doctor.finding import State
    from runbook.errors import ExitCode

    findings, profile = _site(site)
    unusable = findings[0].state.stops
    findings += [_state_folder(), *asyncio.run(examine(profile))]
    stops = [one for one in findings if one.state.stops]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], indent=2, ensure_ascii=False))
    else:
        for line in _lines(findings):
            click.echo(line)
        odd = sum(one.state is State.WARNING for one in findings)
        beside = f"; {odd} {'warning' if odd == 1 else 'warnings'}" if odd else ""
        said = "nothing needed is missing"
        if stops:
            said = f"needed and not usable: {', '.join(one.title for one in stops)}"
        click.echo("\n".join(["", *_wrapped(said + beside, "")]))
    if unusable:
        return ExitCode.USAGE
    return ExitCode.ENVIRONMENT if stops else ExitCode.GREEN


def _site(given: Path | None) -> tuple[list[Finding], Site | None]:
    """The site profile that is used; a wrong one ends nothing here."""
    from checks.doctor.finding import Finding, State
    from runbook.errors import RunbookError
    from runbook.files.loader import load_site
    from runbook.files.named import DEFAULT_RUNBOOK, find_site
    from runbook.files.problems import InvalidDocument, verdict
    from runbook.text import clean_line

    title, path = "site profile", find_site(given, DEFAULT_RUNBOOK)
    if path is None:
        found = "none is here, so nothing is known of the tokens, hosts and engines that are needed"
        advice = "Name it: --site FILE. `runbook config` says where it is looked for."
        return [Finding(State.WARNING, title, found, advice)], None
    name = clean_line(str(path))
    advice = f"`runbook validate --site {name}` shows each problem at its line."
    try:
        loaded = load_site(path)
    except InvalidDocument as error:
        first = error.problems[0]
        found = f"{verdict(error.problems)}; the first: {first.place}: {clean_line(first.message)}"
        return [Finding(State.WRONG, title, found, advice)], None
    except RunbookError as error:
        return [Finding(State.WRONG, title, f"{name}: {error.what}", error.remedy)], None
    if loaded.warnings:
        return [Finding(State.WARNING, title, f"{name}: {verdict(loaded.warnings)}", advice)], loaded.model
    return [Finding(State.OK, title, f"{loaded.model.name}, {name}")], loaded.model


def _state_folder() -> Finding:
    """Where the record of a run goes; nothing acts without it."""
    import os

    from checks.doctor.finding import Finding, State
    from runbook.paths import runs_folder
    from runbook.text import clean_line

    title, folder = "record of runs", runs_folder()
    there = next(place for place in (folder, *folder.parents) if os.access(place, os.F_OK))
    name = clean_line(str(folder))
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding(State.OK, title, name)
    advice = "Set XDG_STATE_HOME to a folder that you can write."
    return Finding(State.WRONG, title, f"{clean_line(str(there))} is no folder that this account can write", advice)


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A mark, the word, what it is and what was found; below it what to do."""
    import os

    from checks.doctor.abilities import is_utf8
    from checks.doctor.finding import State

    signs = {State.OK: "✓", State.WARNING: "▲", State.MISSING: "✗", State.WRONG: "✗"}
    if not is_utf8(os.environ):
        signs = {State.OK: "+", State.WARNING: "!", State.MISSING: "x", State.WRONG: "x"}
    arrow = "→" if is_utf8(os.environ) else "->"
    colours = {State.OK: "green", State.WARNING: "yellow", State.MISSING: "red", State.WRONG: "red"}
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in (None, "dumb")
    for one in findings:
        head = f"{signs[one.state]} {one.state.value}".ljust(len(_INDENT))
        first, *rest = _wrapped(f"{one.title}: {one.found}", _INDENT)
        first = first.removeprefix(_INDENT)
        yield (click.style(head, fg=colours[one.state]) if coloured else head) + first
        yield from rest
        if one.remedy:
            yield from _wrapped(f"{arrow} {one.remedy}", _INDENT + "  ")


def _wrapped(text: str, indent: str) -> list[str]:
    """At 80 columns, or at the terminal's where it has fewer; a path is never broken."""
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((_WIDTH, 24)).columns, _WIDTH)
    return textwrap.wrap(
        text,
        max(width - 1, len(indent) + 20),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]
