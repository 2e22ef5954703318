"""A command under `supervise`, as the program sees it: started in one go, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.files.pipes import chunks, exited, send
from runbook.record import runlock

_SUPERVISOR = Path(__file__).with_name("supervise.py")

_ENDING = 6.0
"""Seconds the supervisor is waited for; it goes on ending what is left when nobody waits for it any more."""


@dataclass(slots=True)
class Status:
    """What the supervisor told."""

    pid: int = 0
    refused: int = 0
    exit_code: int | None = None
    signal_number: int = 0
    left: int = 0

    @property
    def told_end(self) -> bool:
        return self.exit_code is not None or bool(self.signal_number)

    def take(self, line: str) -> None:
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


class Supervised:
    """A started command: its supervisor, its streams, and the pipe that keeps it alive.

    The supervisor is started without `asyncio.create_subprocess_exec`: that, cancelled before it has connected the
    pipes, kills the supervisor and then waits for ever for a pipe that what the command started holds open.
    """

    def __init__(self, process: subprocess.Popen[bytes], control: int, status: int) -> None:
        self.status = Status()
        self._process = process
        self._control = control
        self.over = asyncio.create_task(self._follow(status))
        """Done when the supervisor is gone, which is after the command and all its descendants."""
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    def start(
        cls, executable: str, argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, *, stdin: bool
    ) -> Supervised:
        """Start it; to be called in the event loop. Raises OSError where no process can be started."""
        control_read, control = os.pipe()
        status, status_write = os.pipe()
        locks = runlock.held()
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_SUPERVISOR), str(control_read), str(status_write)),
                    *(",".join(map(str, locks)), executable, *argv),
                ],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=cwd,
                env=None if env is None else dict(env),
                pass_fds=(control_read, status_write, *locks),
                start_new_session=True,
            )
        except BaseException:
            os.close(control)
            os.close(status)
            raise
        finally:
            os.close(control_read)
            os.close(status_write)
        return cls(process, control, status)

    def read(self, *sinks: Callable[[bytes], None]) -> None:
        """Give what comes from stdout to the first, and from stderr to the second."""
        for stream, sink in zip((self._process.stdout, self._process.stderr), sinks, strict=True):
            if stream is not None:
                self._readers.append(asyncio.create_task(_read(stream.fileno(), sink)))

    async def send(self, data: bytes | bytearray | None) -> None:
        """Give the command this to read, and nothing after it."""
        if self._process.stdin is not None and data is not None:
            await send(self._process.stdin.fileno(), data)
            self._process.stdin.close()

    async def finished(self) -> None:
        """Until the supervisor is gone; raises what reading the output died of, as the command could wait for ever."""
        tasks = {self.over, *self._readers}
        while not self.over.done():
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def end(self) -> None:
        """Everything ended, within a bound.

        A supervisor that takes longer, as it was stopped or the machine is busy, is not killed: it alone knows what
        there is to end. It holds the lock of the run until it is done.
        """
        self._release()
        tasks = (self.over, *self._readers)
        try:
            async with asyncio.timeout(_ENDING):
                await asyncio.shield(self.over)
                self._end_orphans()
                await exited(self._process.pid)
                self._process.wait()
                await asyncio.gather(*self._readers)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()

    def _release(self) -> None:
        """Let go of the command: the supervisor ends it."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1

    def _end_orphans(self) -> None:
        """The supervisor itself was killed: the command went with it, but not what the command had started."""
        if self.status.pid and not self.status.told_end:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.status.pid, signal.SIGKILL)

    async def _follow(self, fd: int) -> None:
        """Take all that the supervisor tells, until it is gone."""
        said = b""
        try:
            async for chunk in chunks(fd):
                *lines, said = (said + chunk).split(b"\n")
                for line in lines:
                    self.status.take(line.decode("ascii", errors="replace"))
        finally:
            os.close(fd)


async def _read(fd: int, sink: Callable[[bytes], None]) -> None:
    async for chunk in chunks(fd):
        sink(chunk)
