"""`runbook config`: where things are looked for and kept, and the values in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.places import Place
    from runbook.preferences import InForce


@dataclass(frozen=True, slots=True)
class Value:
    """An input of the runbook, or a preference."""

    name: str
    value: str | None
    """None: it is asked for in the run."""
    source: str
    """Of an input `site`, `default` or `asked`; of a preference a variable, a file, or `default`."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--site", type=click.Path(path_type=Path), help="As for `runbook run`.")
@click.option("--keys", is_flag=True, help="List instead what can be given other keys, and the keys in force.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(file: Path | None, site: Path | None, keys: bool, as_json: bool) -> ExitCode:
    """Print where the program looks for things and keeps them, what is there and used, and the values in force.

    FILE and --site are those of `runbook run`. Nothing is made or changed.
    """
    import json
    import os

    from runbook.errors import ExitCode, UsageError
    from runbook.places import places, variables
    from runbook.preferences import Asked, in_force

    if keys:
        return _keys(in_force(Asked(), os.environ).preferences.keys, as_json=as_json)
    found, environment = places(file, site), variables(os.environ)
    problems: list[str] = []
    preferences: list[Value] = []
    values: list[Value] = []
    try:
        preferences = list(_preferences(in_force(Asked(), os.environ)))
    except UsageError as error:
        problems.append(f"the preferences in force are not known: {error}")
    try:
        values = _values(found)
    except UsageError as error:
        problems.append(f"the values in force are not known: {error}")
    if as_json:
        known = {
            "places": [asdict(place) for place in found],
            "environment": environment,
            "preferences": [asdict(value) for value in preferences],
            "values": [asdict(value) for value in values],
        }
        click.echo(json.dumps(known, indent=2))
    else:
        for line in _lines(found, environment, preferences, values):
            click.echo(line)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    return ExitCode.USAGE if problems else ExitCode.GREEN


def _keys(given: Mapping[str, str], *, as_json: bool) -> ExitCode:
    import json

    from runbook.errors import ExitCode
    from runbook.keys import DOINGS, changeable

    listed = {name: given.get(name, DOINGS[name].keys) for name in changeable()}
    if as_json:
        click.echo(json.dumps(listed, indent=2))
    else:
        for name, keys in listed.items():
            click.echo(f"{name:<18}  {keys + (' (yours)' if name in given else ''):<24}  {DOINGS[name].told}")
    return ExitCode.GREEN


def _preferences(now: InForce) -> Iterator[Value]:
    """Each with where it comes from."""
    mine = now.preferences
    for name in ("theme", "mouse", "plain", "colour"):
        value = getattr(mine, name)
        yield Value(name, ("yes" if value else "no") if isinstance(value, bool) else str(value), now.sources[name])
    for action, keys in mine.keys.items():
        yield Value(f"keys.{action}", keys, now.sources["keys"])


def _values(found: Sequence[Place]) -> list[Value]:
    """Of the inputs; empty where there is no runbook here. Raises UsageError where a file is wrong."""
    from runbook.files.loader import load_runbook, load_site
    from runbook.input_types import SecretInput
    from runbook.kind import Registry
    from runbook.run.start import no_site
    from runbook.run.values import values_at_start

    used = {place.what: Path(place.path) for place in found if place.used}
    if "runbook" not in used:
        return []
    runbook = load_runbook(used["runbook"], Registry())
    site = load_site(used["site profile"]) if "site profile" in used else no_site(runbook.path)
    known = values_at_start(runbook.model, site, {})
    values = []
    for name, declared in runbook.model.inputs.items():
        value, source = known.get(name, (None, "asked"))
        secret = isinstance(declared, SecretInput)
        values.append(Value(name, None if secret else value, "asked" if secret else source))
    return values


def _lines(
    found: Sequence[Place], environment: dict[str, str], preferences: Sequence[Value], values: Sequence[Value]
) -> Iterator[str]:
    from runbook.text import clean_line

    what = ""
    for place in found:
        if place.what != what:
            what = place.what
            yield what
        word = "used" if place.used else "there" if place.there else "not there"
        yield f"  {word:<9}  {clean_line(place.path)}"
    yield "environment"
    for name, text in environment.items():
        yield f"  {name}={clean_line(text)}"
    if not environment:
        yield "  nothing that matters here is set"
    yield "preferences in force"
    for value in preferences:
        yield f"  {value.name} = {clean_line(value.value or '')}  ({clean_line(value.source)})"
    yield "values in force"
    for value in values:
        if value.value is None:
            yield f"  {value.name}: asked for in the run"
        else:
            yield f"  {value.name} = {clean_line(value.value) or '(empty)'}  ({value.source})"
    if not values:
        yield "  none: there is no runbook to have inputs"
