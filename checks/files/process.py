"""The one way to run a command on this machine.

An argument list, no shell, no terminal, a deadline, bounded output, and nothing left behind: the command runs
under `supervise`, which ends it and every descendant at the deadline, at cancellation, and when this program dies.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from checks.files.capture import Capture, LineFeed, StreamText
from checks.files.programs import ProgramNotFound, find_program, refused
from checks.files.supervised import Status, Supervised
from runbook.ran import Ran, added, tell
from runbook.secrets import Redactor

KEEP = 256 * 1024
"""Bytes kept of each stream unless told otherwise: the first half and the last half."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    argv: tuple[str, ...]
    exit_code: int | None
    """None: ended by a signal or its deadline."""
    ended_by: str
    """Empty, or the signal's name, or `deadline`."""
    stdout: StreamText
    stderr: StreamText
    left_behind: int = 0
    """Processes that outlived the command and were ended with it."""
    seconds: float = 0.0


async def run(
    argv: Sequence[str],
    *,
    deadline: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    on_line: Callable[[str], None] | None = None,
    redactor: Redactor | None = None,
    keep: int = KEEP,
) -> Finished:
    """Run `argv` and return how it ended; a deadline that passes is an ending too.

    `env` is the whole environment (None: ours); `stdin` is sent and closed (None: nothing to read); `on_line` gets
    each line of output as it comes, cleaned and redacted, some of them left out when there are very many. `deadline`
    is in seconds, `keep` in bytes of each stream.

    Raises ProgramNotFound, ProgramNotExecutable and FolderMissing. On cancellation everything is ended first. However
    it ended, the run hears of a command that was started (`runbook.ran`).
    """
    if any("\0" in argument for argument in argv):
        raise ProgramNotFound("an argument holds a NUL byte", remedy="Correct the argument list.")
    executable = find_program(argv[0], cwd, env)
    started = time.monotonic()
    captures = Capture(keep), Capture(keep)
    feed = LineFeed(on_line, redactor)
    running = Supervised.start(executable, argv, cwd, env, stdin=stdin is not None)
    ran = Ran(argv, cwd=str(cwd or ""), env=added(env))
    deadline_passed, heard = False, False
    try:
        running.read(*(partial(_take, number, capture, feed) for number, capture in enumerate(captures)))
        async with asyncio.timeout(deadline):
            await running.send(stdin)
            await running.finished()
        heard = True
    except TimeoutError:
        deadline_passed = heard = True
    finally:
        # Shielded: a second cancellation must not leave the command alive.
        ending = asyncio.create_task(running.end())
        if not heard:
            tell(replace(ran, ended_by="cancelled", seconds=time.monotonic() - started))
        await asyncio.shield(ending)
    feed.close()
    status = running.status
    if status.refused:
        raise refused(executable, argv[0], status.refused)
    finished = Finished(
        argv=tuple(argv),
        exit_code=None if deadline_passed else status.exit_code,
        ended_by=_ended_by(status, deadline_passed),
        stdout=captures[0].kept(redactor),
        stderr=captures[1].kept(redactor),
        left_behind=0 if deadline_passed else status.left,
        seconds=time.monotonic() - started,
    )
    tell(replace(ran, exit_code=finished.exit_code, ended_by=finished.ended_by, seconds=finished.seconds))
    return finished


def _take(stream: int, capture: Capture, feed: LineFeed, chunk: bytes) -> None:
    capture.add(chunk)
    feed.add(stream, chunk)


def _ended_by(status: Status, deadline_passed: bool) -> str:
    if deadline_passed:
        return "deadline"
    if status.signal_number:
        try:
            return signal.Signals(status.signal_number).name
        except ValueError:
            return f"signal {status.signal_number}"
    return "" if status.exit_code is not None else "unknown: its supervisor was killed"
