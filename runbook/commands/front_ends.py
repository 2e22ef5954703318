"""The three ways to walk a prepared runbook: on screens, on a plain terminal, without a person."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.people.following import Following
    from runbook.preferences import Asked, Preferences
    from runbook.run.session import Session
    from runbook.run.start import Prepared
    from runbook.secrets import Redactor


Begin = Callable[["Prepared", "Redactor"], "Session"]
"""Makes the session: of a new run (`runbook.run.start.start`), or of one that goes on."""


def headless(
    prepared: Prepared, answers: Path | None, begin: Begin | None = None, redactor: Redactor | None = None
) -> ExitCode:
    """Walk it with the answers of a file (None: no answers at all), whose PINs `redactor` is taught."""
    import asyncio

    from runbook.plain.answers import Answers, load_answers, require_steps
    from runbook.plain.drive import drive
    from runbook.plain.scripted import ScriptedOperator
    from runbook.secrets import Redactor

    given = load_answers(answers) if answers else Answers(answers=1)
    if answers:
        require_steps(given, prepared.runbook.model, answers)
    operator = ScriptedOperator(given, prepared.walked)
    redactor = redactor or Redactor()
    operator.teach(redactor)
    return asyncio.run(drive((begin or _new)(prepared, redactor), operator))


def walk(prepared: Prepared, preferences: Preferences, begin: Begin | None = None) -> ExitCode:
    """Walk it as the person prefers: on screens, or with lines."""
    return _plain(prepared, begin) if preferences.plain else _screens(prepared, preferences, begin)


def at_once(
    runbook: Path, site: Path | None, values: dict[str, str], stages: tuple[str, ...], preferences: Preferences
) -> ExitCode | None:
    """Walk it on screens that are painted while the files are read and checked; None: they must be read before.

    Nothing can be decided before they are. What is wrong with them is raised as it is where they are read first.
    """
    import gc

    from runbook.commands.ahead import Ahead
    from screens.main import load, run_opening

    ahead = Ahead(runbook, site)
    gc.disable()  # nothing of what is imported now is ever garbage; the run screen turns it on again
    try:
        load()
        seen = ahead.seen()
        if seen is None:
            return None
        made: list[tuple[Prepared, Session]] = []

        def begin() -> Session:
            from runbook.run.start import prepare
            from runbook.secrets import Redactor

            prepared = prepare(runbook, site, values, stages)
            made.append((prepared, _new(prepared, Redactor())))
            return made[0][1]

        code = run_opening(seen, begin, preferences)
    finally:
        gc.enable()
    from runbook.plain.drive import say_result

    for prepared, session in made:
        say_warnings(prepared)
        say_result(session)
    return code


def say_warnings(prepared: Prepared) -> None:
    """What is odd in the files, on stderr."""
    for warning in prepared.warnings:
        click.echo(str(warning), err=True)


def _plain(prepared: Prepared, begin: Begin | None) -> ExitCode:
    """Walk it with numbered lines and questions."""
    import asyncio

    from runbook.plain.drive import drive_console
    from runbook.secrets import Redactor

    return asyncio.run(drive_console((begin or _new)(prepared, Redactor())))


def _screens(prepared: Prepared, preferences: Preferences, begin: Begin | None) -> ExitCode:
    """Walk it on screens, and say the result once they are gone."""
    from runbook.plain.drive import say_result
    from runbook.secrets import Redactor
    from screens.main import run_session

    session = (begin or _new)(prepared, Redactor())
    code = run_session(session, preferences)
    say_result(session)
    return code


def _new(prepared: Prepared, redactor: Redactor) -> Session:
    from runbook.run.start import start

    return start(prepared, redactor)


def witness(following: Following, key: Path | None, preferences: Preferences) -> ExitCode:
    """Follow a run as the person prefers: on screens, or with lines and commands."""
    if not preferences.plain:
        from screens.main import run_witness

        return run_witness(following, preferences, key)
    import asyncio

    from runbook.plain.witness_console import follow

    return asyncio.run(follow(following, key))


def ask_unfinished(prepared: Prepared) -> Path | None:
    """The folder of a run of the same runbook at this site that the person wants to go on with; None: begin anew.

    Asks only where there is one; raises OperatorStopped where they want neither.
    """
    from runbook.errors import OperatorStopped
    from runbook.record.runs import unfinished

    left = unfinished(prepared.runbook.model.id, prepared.site.path)
    if not left:
        return None
    run = left[0]
    more = f" (and {len(left) - 1} older: `runbook runs`)" if len(left) > 1 else ""
    click.echo(f"There is an unfinished run of this runbook{more}:", err=True)
    what = f", a roll-back of {run.rolls_back}" if run.rolls_back else ""
    click.echo(f"  {run.run_id}{what}, begun {run.started[:16]}Z by {run.operator}: {run.state}", err=True)
    while True:
        click.echo("Go on with it? [r]esume, [n]ew run, [q]uit: ", err=True, nl=False)
        answer = sys.stdin.readline()
        match answer.strip().lower():
            case "r" | "resume":
                return run.folder
            case "n" | "new":
                return None
            case "q" | "quit":
                raise OperatorStopped("stopped before it began")
        if not answer:
            raise OperatorStopped("stopped before it began")


def preferences(look: Asked, *, headless: bool = False) -> Preferences:
    """How the person wants it; raises UsageError for a contradiction or a wrong configuration.

    Without a person, nobody's preferences are looked for.
    """
    import os

    from runbook.errors import UsageError
    from runbook.preferences import DEFAULTS, in_force

    if headless and look.plain:
        raise UsageError("--headless asks nobody and --plain asks at the terminal: choose one")
    if headless:
        return DEFAULTS
    try:
        return in_force(look, os.environ).preferences
    except UsageError as error:
        from runbook.files.problems import InvalidDocument

        if isinstance(error, InvalidDocument):
            click.echo("Your configuration cannot be used. No run needs it: mend it, or move it away.", err=True)
        raise


def can_draw() -> bool:
    """Whether there is a terminal that draws screens."""
    from runbook.errors import EnvironmentLacks

    try:
        require_terminal(plain=False)
    except EnvironmentLacks:
        return False
    return True


def require_terminal(*, plain: bool) -> None:
    """Raise EnvironmentLacks where nobody can be asked, or nothing can be drawn."""
    import os

    from runbook.errors import EnvironmentLacks

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise EnvironmentLacks(
            "there is no terminal to ask at",
            remedy="Start it at a terminal, or run it without a person: --headless.",
        )
    if not plain and os.environ.get("TERM", "") in ("", "dumb"):
        raise EnvironmentLacks(
            f"this terminal cannot draw screens (TERM is `{os.environ.get('TERM', '')}`)",
            remedy="Add --plain for numbered lines and questions.",
        )
