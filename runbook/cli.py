"""The command `runbook`: finds the command asked for and imports only that.

Results go to stdout, narration to stderr; the exit status is an `ExitCode`, or `CRASHED` for a defect of ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from runbook.errors import ExitCode, RunbookError, is_exhausted
from runbook.room import require_room

CRASHED = 70
"""Exit status for a defect of the program itself (EX_SOFTWARE of sysexits.h)."""

WALKS = frozenset({"run", "rehearse", "resume", "rollback"})
"""The commands that begin something which must not be broken off by a lack of memory that was to be seen before."""

BROKEN_PIPE = ExitCode.FAILED
"""Exit status when the reader of our output went away; click has chosen it where it notices first."""

COMMANDS = {
    "run": "Walk a runbook, on the screen, on a plain terminal or unattended.",
    "rehearse": "Make a lab and walk the same runbook in it.",
    "resume": "Go on with a run that was left, where it was left.",
    "rollback": "Undo what a run has done, step by step, the newest first.",
    "init": "Ask for a site's values and write its commented site profile.",
    "validate": "Show everything that is wrong with a runbook or a site profile.",
    "schema": "Print the JSON Schema of a file format.",
    "checks": "List the checks and actions, or what one of them takes.",
    "doctor": "Show what this machine has of what a run needs, and what to do.",
    "config": "Print where the program looks for things and keeps them, and the values in force.",
    "runs": "List the recorded runs.",
    "witness": "Follow a run from another session, and approve what two people must agree to.",
    "verify": "Check that the record of a run is the one that was written.",
    "completion": "Print the completion script of a shell.",
}
"""Each command `NAME` is `command` in the module `runbook.commands.NAME`."""


class Commands(click.Group):
    """Imports a command when it is called, not before."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in WALKS:
            require_room()
        command = import_module(f"runbook.commands.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a module of ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(error.message + _did_you_mean(args[0], COMMANDS), ctx) from None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _did_you_mean(given: str, known: Sequence[str] | dict[str, str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(given, known, n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from runbook.version import program_version

        click.echo(f"runbook {program_version()}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 all green, 1 a step failed, 2 the call or the runbook is wrong, 3 stopped by the operator, "
    "4 this machine lacks something.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
def cli() -> None:
    """Walk the runbook of an HSM cutover: every check real, every step on the record."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; exits with an `ExitCode`."""
    _open_closed_streams()
    _leave_no_core()
    try:
        status = _status(arguments)
    except OSError as error:
        status = _output_lost(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        status = status if _is_gone(error) else _output_lost(error)
    _forget_unwritten()
    sys.exit(status)


def _open_closed_streams() -> None:
    """Let nothing be read from or written to a standard stream that was closed at the start (`2>&-`).

    Otherwise the next file that is opened, such as a journal, would get its number, and what is said to fd 2.
    """
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.fstat(fd)
                continue
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8", closefd=False))


def _leave_no_core() -> None:
    """A core file (core(5)) of this program would hold what was just typed. Commands that it runs may allow theirs."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _output_lost(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    _say(
        f"error: standard output cannot be written: {error.strerror}\n"
        "  The result was not printed. Runs are recorded all the same: `runbook runs` lists them."
    )
    return ExitCode.ENVIRONMENT


def _is_gone(error: OSError) -> bool:
    """Whether it says that the terminal has gone away: then nobody waits for what could not be written."""
    return error.errno == errno.EIO


def _say(text: str) -> None:
    """On stderr, if anybody is there."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _forget_unwritten() -> None:
    """What is still in a buffer has no reader; the interpreter would complain of it, and change the exit status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _was_printing(error: OSError) -> bool:
    """Whether it arose where results are printed: in click.echo."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Path(last.filename) == Path(click.utils.__file__)


def _status(arguments: Sequence[str] | None) -> int:
    try:
        return int(cli.main(arguments, prog_name="runbook", standalone_mode=False) or 0)
    except click.Abort:
        _say("stopped")
        return ExitCode.STOPPED
    except KeyboardInterrupt:
        _say("stopped")
        return ExitCode.STOPPED
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return ExitCode.USAGE
    except RunbookError as error:
        _say(f"error: {error}")
        return error.exit_code
    except Exception as error:  # the last resort: a defect of ours, told without its values
        if isinstance(error, OSError) and _was_printing(error):
            raise
        if is_exhausted(error):
            return _exhausted()
        _say(_crash_notice(error))
        return CRASHED


def _exhausted() -> int:
    _say(
        "error: there was not enough memory, or room for another thread, for the program to go on\n"
        "  End other programs, or raise the limit (ulimit -a). A run that was going on is recorded up to here:\n"
        "  go on with `runbook resume`."
    )
    return ExitCode.ENVIRONMENT


def _crash_notice(error: Exception) -> str:
    """Where it happened, without message, arguments or variables: any of them may hold a secret."""
    from runbook.version import program_version

    frames = traceback.extract_tb(error.__traceback__)
    places = [f"    {_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [
            f"error: a defect in the program: {type(error).__name__}",
            *places[-8:],
            f"  This is runbook {program_version()} on Python {sys.version.split()[0]}.",
            "  Please report these lines to the maintainers of hsm-runbook; they hold none of your values.",
            "  A run that was going on is recorded up to here: `runbook runs` lists it.",
        ]
    )


def _place(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])
