"""The one way to run a command on this machine.

An argument list, no shell, no terminal, a deadline, bounded output, and nothing left behind: the command runs
under `supervise`, which ends it and every descendant at the deadline, at cancellation, and when this program dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checks.files.capture import Capture, LineFeed, StreamText
from checks.files.programs import ProgramNotFound, find_program, refused
from runbook.secrets import Redactor

KEEP = 256 * 1024
"""Bytes kept of each stream unless told otherwise: the first half and the last half."""

_SUPERVISOR = Path(__file__).with_name("supervise.py")
_CHUNK = 64 * 1024
_ENDING = 6.0
"""Seconds the supervisor is given to end everything; then it is killed itself."""


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


@dataclass(slots=True)
class _Status:
    """What the supervisor told."""

    pid: int = 0
    refused: int = 0
    exit_code: int | None = None
    signal_number: int = 0
    left: int = 0

    @property
    def told_end(self) -> bool:
        return self.exit_code is not None or bool(self.signal_number)

    def read(self, text: str) -> None:
        for line in text.splitlines():
            word, _, number = line.partition(" ")
            match word:
                case "started":
                    self.pid = int(number)
                case "refused":
                    self.refused = int(number)
                case "exit":
                    self.exit_code = int(number)
                case "signal":
                    self.signal_number = int(number)
                case "left":
                    self.left = int(number)


@dataclass(slots=True)
class _Running:
    """A started command: its supervisor, its streams, and the pipe that keeps it alive."""

    process: asyncio.subprocess.Process
    control: int
    status: asyncio.Task[_Status]
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    def release(self) -> None:
        """Let go of the command: the supervisor ends it."""
        if self.control >= 0:
            os.close(self.control)
            self.control = -1

    async def end(self) -> None:
        """Everything ended, within a bound."""
        self.release()
        try:
            async with asyncio.timeout(_ENDING):
                self._end_orphans(await self.status)
                # Comes back when the streams are closed too, so not before the orphans are ended.
                await self.process.wait()
                await asyncio.gather(*self.readers)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            for task in (*self.readers, self.status):
                task.cancel()

    def _end_orphans(self, status: _Status) -> None:
        """The supervisor itself was killed: the command went with it, but not what the command had started."""
        if status.pid and not status.told_end:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(status.pid, signal.SIGKILL)


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

    Raises ProgramNotFound, ProgramNotExecutable and FolderMissing. On cancellation everything is ended first.
    """
    if any("\0" in argument for argument in argv):
        raise ProgramNotFound("an argument holds a NUL byte", remedy="Correct the argument list.")
    executable = find_program(argv[0], cwd, env)
    started = time.monotonic()
    captures = Capture(keep), Capture(keep)
    feed = LineFeed(on_line, redactor)
    running = await _start(executable, argv, cwd, env, stdin is not None)
    deadline_passed = False
    try:
        for stream, capture in zip((running.process.stdout, running.process.stderr), captures, strict=True):
            if stream is not None:
                running.readers.append(asyncio.create_task(_read(stream, capture, feed)))
        async with asyncio.timeout(deadline):
            await _feed_stdin(running.process, stdin)
            # The status pipe closes when the supervisor is gone, and it leaves last.
            await asyncio.shield(running.status)
    except TimeoutError:
        deadline_passed = True
    finally:
        # Shielded: a second cancellation must not leave the command alive.
        await asyncio.shield(asyncio.create_task(running.end()))
    feed.close()
    status = _Status() if running.status.cancelled() else await running.status
    if status.refused:
        raise refused(executable, argv[0], status.refused)
    return Finished(
        argv=tuple(argv),
        exit_code=None if deadline_passed else status.exit_code,
        ended_by=_ended_by(status, deadline_passed),
        stdout=captures[0].kept(redactor),
        stderr=captures[1].kept(redactor),
        left_behind=0 if deadline_passed else status.left,
        seconds=time.monotonic() - started,
    )


def _ended_by(status: _Status, deadline_passed: bool) -> str:
    if deadline_passed:
        return "deadline"
    if status.signal_number:
        try:
            return signal.Signals(status.signal_number).name
        except ValueError:
            return f"signal {status.signal_number}"
    return "" if status.exit_code is not None else "unknown: its supervisor was killed"


async def _start(
    executable: str, argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, with_stdin: bool
) -> _Running:
    control_read, control = os.pipe()
    status_read, status_write = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_SUPERVISOR), str(control_read), str(status_write), executable, *argv),
            stdin=PIPE if with_stdin else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=None if env is None else dict(env),
            pass_fds=(control_read, status_write),
            start_new_session=True,
        )
    except BaseException:
        os.close(control)
        os.close(status_read)
        raise
    finally:
        os.close(control_read)
        os.close(status_write)
    return _Running(process, control, asyncio.create_task(_read_status(status_read)))


async def _read_status(fd: int) -> _Status:
    """All that the supervisor tells, until it is gone."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    try:
        status = _Status()
        status.read((await reader.read()).decode("ascii", errors="replace"))
        return status
    finally:
        transport.close()


async def _read(stream: asyncio.StreamReader, capture: Capture, feed: LineFeed) -> None:
    while chunk := await stream.read(_CHUNK):
        capture.add(chunk)
        feed.add(id(stream), chunk)


async def _feed_stdin(process: asyncio.subprocess.Process, data: bytes | None) -> None:
    if process.stdin is None or data is None:
        return
    # A command that does not read its input is free to close it.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()
