"""The three ways to walk a prepared runbook: on screens, on a plain terminal, without a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runbook.errors import ExitCode
    from runbook.start import Prepared


def headless(prepared: Prepared, answers: Path | None) -> ExitCode:
    """Walk it with the answers of a file (None: no answers at all)."""
    import asyncio

    from runbook.answers import Answers, ScriptedOperator, load_answers, require_steps
    from runbook.drive import drive
    from runbook.secrets import Redactor
    from runbook.start import start

    given = load_answers(answers) if answers else Answers(answers=1)
    if answers:
        require_steps(given, prepared.runbook.model, answers)
    operator = ScriptedOperator(given, prepared.runbook.model)
    redactor = Redactor()
    operator.teach(redactor)
    return asyncio.run(drive(start(prepared, redactor), operator))


def plain(prepared: Prepared) -> ExitCode:
    """Walk it with numbered lines and questions."""
    import asyncio

    from runbook.drive import drive_console
    from runbook.start import start

    return asyncio.run(drive_console(start(prepared)))


def screens(prepared: Prepared) -> ExitCode:
    """Walk it on screens, and say the result once they are gone."""
    from runbook.drive import say_result
    from runbook.start import start
    from screens.main import run_session

    session = start(prepared)
    code = run_session(session)
    say_result(session)
    return code


def check_choice(*, headless: bool, plain: bool) -> None:
    """Raise UsageError for a contradiction."""
    from runbook.errors import UsageError

    if headless and plain:
        raise UsageError("--headless asks nobody and --plain asks at the terminal: choose one")


def require_terminal(*, plain: bool) -> None:
    """Raise EnvironmentLacks where nobody can be asked, or nothing can be drawn."""
    import os
    import sys

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
