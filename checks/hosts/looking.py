"""What the kinds of steps on machines share: how long they may take, and a command run for its answer alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checks.files.process import KEEP, Finished
from checks.hosts.errors import FarSideLacks, HostError, NotInTime
from checks.hosts.fleet import FLEET_SYMPTOMS, where
from checks.hosts.machine import Machine, silent
from checks.time_left import time_left
from runbook.context import Context
from runbook.text import clean_line

LOOK_SYMPTOMS: Mapping[str, str] = {
    **FLEET_SYMPTOMS,
    "host error": "A command on the host did not do what it is for.",
    "program not found": "A program that the step runs is not there.",
    "not executable": "A program of the step is there, but the system does not run it, or not with these values.",
}
"""What every step that runs commands of its own can report."""


def as_whom(on: tuple[str, ...], sudo: bool) -> str:
    """Where something is done and as whom, for `plan`."""
    return f"on {where(on)}{', as root by sudo' if sudo else ''}"


async def ask(
    machine: Machine,
    ctx: Context,
    argv: Sequence[str],
    *,
    sudo: bool = False,
    stdin: bytes = b"",
    keep: int = KEEP,
) -> Finished:
    """Run a command for its answer: in the plain C locale, and not shown. Raises NotInTime."""
    finished = await machine.run(
        argv,
        deadline=time_left(ctx),
        sudo=sudo,
        env={"LC_ALL": "C"},
        stdin=stdin,
        on_line=silent,
        keep=keep,
    )
    if finished.ended_by.startswith("deadline"):
        _, _, still = finished.ended_by.partition("; ")
        said = f"{argv[0]} did not end within {finished.seconds:.0f} seconds"
        raise NotInTime(f"{said}; {still}" if still else said, where=machine.name)
    return finished


def last_words(finished: Finished) -> str:
    """The last line of its standard error, for a sentence; empty: it said nothing."""
    lines = finished.stderr.text.strip().splitlines()
    return clean_line(lines[-1], 300) if lines else ""


async def tell(
    machine: Machine, ctx: Context, script: str, *arguments: str, sudo: bool = False, symptom: str = ""
) -> list[str]:
    """The lines that a POSIX shell script prints, its values as `$1`, `$2`, …

    Raises FarSideLacks where it ends with 127 (a program is missing), HostError with `symptom` for other exit codes.
    """
    finished = await ask(machine, ctx, ("/bin/sh", "-c", script, "sh", *arguments), sudo=sudo)
    if finished.exit_code == 0:
        return finished.stdout.raw.decode("utf-8", errors="replace").splitlines()
    said = last_words(finished) or f"exit code {finished.exit_code}"
    if finished.exit_code == 127:
        raise FarSideLacks(f"a program is missing: {said}", where=machine.name, remedy="Install it there.")
    raise HostError(said, where=machine.name, symptom=symptom)
