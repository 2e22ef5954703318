"""This machine: commands under the local supervisor, and as root through the same words as on any other machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from checks.files.process import KEEP, Finished, run
from checks.hosts.channel import Channel, Ended
from checks.hosts.errors import LineLost
from checks.hosts.far import FarMachine
from checks.hosts.machine import Machine, silent
from checks.hosts.sudo import SudoPasswords
from checks.hosts.supervision import refuse_impossible
from runbook.context import Context
from runbook.site import LOCAL, HostProfile

_PATIENCE = 5.0


class LocalChannel:
    """A process of this machine. It is let go by the end of its input, which the far-side shell takes as its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the process was started without its streams")
        self._process = process
        self._stdin = process.stdin
        self.stdout = process.stdout
        self.stderr = process.stderr

    async def write(self, data: bytes | bytearray) -> None:
        try:
            self._stdin.write(data)
            await self._stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise LineLost("the command takes no more input", where=LOCAL) from None

    async def write_eof(self) -> None:
        self._stdin.close()

    async def wait(self) -> Ended:
        # The process's own end: `Process.wait` would wait for whoever else holds its output open.
        with contextlib.suppress(ProcessLookupError):
            await _exited(self._process.pid)
        while (code := self._process.returncode) is None:  # noqa: ASYNC110 - the loop is about to reap it, and tells nobody
            await asyncio.sleep(0.005)
        return Ended(code) if code >= 0 else Ended(None, signal.Signals(-code).name)

    async def close(self) -> None:
        self._stdin.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    # What nobody reads would keep it, and our ends of the pipes, for ever.
                    await asyncio.gather(_drain(self.stdout), _drain(self.stderr), self._process.wait())
                    return


async def _exited(pid: int) -> None:
    """Until the process has ended (pidfd_open(2)). Raises ProcessLookupError when it is reaped already."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    fd = os.pidfd_open(pid)
    try:
        loop.add_reader(fd, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


class LocalConnection:
    """Processes of this machine."""

    shown: tuple[str, ...] = ()
    alive = True

    async def open(self, command: str) -> Channel:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        return LocalChannel(process)

    async def close(self) -> None:
        """Nothing is held open between commands."""


class LocalMachine(Machine):
    """This machine, as one step sees it."""

    name = LOCAL

    def __init__(self, profile: HostProfile, ctx: Context, passwords: SudoPasswords) -> None:
        self._ctx = ctx
        self._far = FarMachine(LOCAL, LocalConnection(), profile, ctx, passwords)

    @property
    def shown(self) -> tuple[str, ...]:
        return ()

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        sudo: bool = False,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        keep: int = KEEP,
    ) -> Finished:
        if sudo:
            return await self._far.run(
                argv, deadline=deadline, sudo=True, cwd=cwd, env=env, stdin=stdin, on_line=on_line, keep=keep
            )
        refuse_impossible(argv, cwd, env or {})
        return await run(
            argv,
            deadline=deadline,
            cwd=Path(cwd) if cwd else None,
            env={**os.environ, **(env or {})},
            stdin=stdin or None,
            on_line=None if on_line is silent else on_line or self._ctx.progress,
            redactor=self._ctx.redactor,
            keep=keep,
        )

    async def duplex(self, argv: Sequence[str], *, sudo: bool = False) -> Channel:
        return await self._far.duplex(argv, sudo=sudo)
