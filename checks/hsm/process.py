"""A worker process seen from the program: started, called with a deadline, and ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Final

from checks.hsm import wire
from checks.hsm.channel import Channel
from checks.hsm.line import Line
from runbook.children import start
from runbook.text import clean

_TAIL: Final = 4_096
"""Bytes kept of what a worker's module prints."""

_LAST_WORDS: Final = 0.2
"""Seconds to read the rest of what an ended worker printed; something it started may hold the pipe open."""

_GRACE: Final = 1.0
"""Seconds a worker may take to leave by itself."""


class Hung(Exception):
    """No answer within the deadline; the worker has been killed."""


class Died(Exception):
    """The worker ended; `how` is its exit status in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class WorkerProcess:
    """One worker. After Hung or Died, and after `kill`, it is not to be used again."""

    def __init__(self, process: asyncio.subprocess.Process, connection: socket.socket) -> None:
        self._process = process
        self._channel = Channel(connection)
        self.line: Line | None = None
        """To the host that the token is on; ended with the worker."""
        self._ended_how = ""
        self._tail = bytearray()
        self._drain = asyncio.create_task(self._keep_tail())

    @classmethod
    async def spawn(cls, module: str, env: Mapping[str, str]) -> WorkerProcess:
        """Start the process; `greeting` tells when the module is loaded.

        Its environment is what a module needs to run at all and what the site profile adds; nothing else of ours.
        """
        ours, theirs = socket.socketpair()
        base = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        try:
            with theirs:
                process = await start(
                    *(sys.executable, "-I", "-m", "checks.hsm.worker"),
                    *(str(theirs.fileno()), str(os.getpid()), module),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    env={**base, "LC_ALL": "C.UTF-8", **env},
                )
        except BaseException:
            ours.close()
            raise
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def printed(self) -> str:
        """The end of what the module printed, cleaned."""
        return clean(self._tail.decode(errors="replace")).strip()

    async def greeting(self, deadline: float) -> wire.Response:
        """The worker's first message: Ready or Failure. Raises Hung or Died."""
        return await self.answer(self._channel.greeting(), deadline)

    async def send(self, request: wire.Request, deadline: float) -> asyncio.Future[wire.Answer]:
        """Send a request; `answer` waits for what comes back. Requests are done in their order. Raises Hung."""
        try:
            return await self._channel.send(request, deadline)
        except TimeoutError:
            raise await self._hung() from None

    async def answer(self, pending: asyncio.Future[wire.Answer], deadline: float) -> wire.Response:
        """The response; `deadline` in seconds. Raises Hung or Died, and then the worker has been killed.

        A caller that is cancelled leaves the worker killed: its answer would be nobody's.
        """
        try:
            async with asyncio.timeout(deadline):
                answer = await pending
        except TimeoutError:
            raise await self._hung() from None
        except asyncio.CancelledError:
            self._signal(signal.SIGKILL)
            raise
        except (EOFError, OSError, wire.WireError) as error:
            how = await self._exit_status()
            raise Died(how if not isinstance(error, wire.WireError) else f"{error}; {how}") from None
        return answer.response

    async def _hung(self) -> Hung:
        self._ended_how = self._ended_how or "was killed because an earlier call got no answer"
        await self.kill()
        return Hung()

    async def close(self) -> None:
        """Let it leave, for a short while, then kill it; never raises."""
        self._channel.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End the process and whatever it started."""
        self._signal(signal.SIGKILL)
        self._channel.close()
        with contextlib.suppress(TimeoutError):  # only a process in an uninterruptible wait outlives SIGKILL
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        await asyncio.wait({self._drain}, timeout=_LAST_WORDS)
        self._drain.cancel()
        if self.line:
            await self.line.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _exit_status(self) -> str:
        """How the process ended, in words; it is killed if it has not."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        status = self._process.returncode
        await self.kill()
        if self._ended_how:
            return self._ended_how
        if status is None:
            return "closed its connection and was killed"
        return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"left with status {status}"

    async def _keep_tail(self) -> None:
        """Read what the module prints, so that it never blocks, and keep the end of it."""
        stream = self._process.stdout
        while stream is not None and (chunk := await stream.read(_TAIL)):
            self._tail = (self._tail + chunk)[-_TAIL:]
