"""One command through a running `ssh` master: a process of ours whose streams are the command's."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from checks.hosts.channel import Ended
from checks.hosts.errors import ChannelRefused, HostError, LineLost
from checks.hosts.openssh_config import mux_options
from checks.hosts.processes import end

OPENING = 30.0
"""Seconds that the host has to start a command."""
_CHECKING = 5.0
_SSH_ITSELF = 255
"""The exit status of ssh for an error of its own; a command may have it too."""


class OpensshChannel:
    """A `Channel`; made by `open_channel`."""

    def __init__(self, process: asyncio.subprocess.Process, control: Path, where: str) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the process needs three pipes")
        self._process = process
        self._stdin = process.stdin
        self._control = control
        self._where = where
        self._closed = False
        self.stdout = process.stdout
        self.stderr = process.stderr

    async def write(self, data: bytes | bytearray) -> None:
        """What comes after the command's end goes nowhere, as with a pipe that nobody reads."""
        try:
            self._stdin.write(data)
            await self._stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            if self._process.returncode is not None:
                await self.wait()

    async def write_eof(self) -> None:
        with contextlib.suppress(OSError):
            self._stdin.close()

    async def wait(self) -> Ended:
        code = await self._process.wait()
        if code == _SSH_ITSELF and not self._closed and not await _serves(self._control):
            raise LineLost(
                "the connection broke while a command was running",
                where=self._where,
                remedy="What the command did is not known. See to the line, then look on the host itself.",
            )
        return Ended(code if code >= 0 else None)

    async def close(self) -> None:
        self._closed = True
        await end(self._process)


async def open_channel(control: Path, command: str, where: str) -> OpensshChannel:
    """Start a command; what `ssh` says of itself goes to a pipe of its own, so that stderr is the command's alone.

    Raises LineLost and ChannelRefused.
    """
    process: asyncio.subprocess.Process | None = None
    said, log = os.pipe()
    os.set_blocking(said, False)
    opened = False
    try:
        process = await asyncio.create_subprocess_exec(
            # ssh closes what it inherits, so it opens our end. At a named pipe it would stay for ever, were we killed.
            *("ssh", *mux_options(control), "-E", f"/proc/{os.getpid()}/fd/{log}", "host", "--", command),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        async with asyncio.timeout(OPENING):
            problem = await _until_open(said, process)
        if problem:
            raise _not_opened(problem, where)
        opened = True
        return OpensshChannel(process, control, where)
    except TimeoutError:
        raise LineLost(
            f"the host did not start a command within {OPENING:.0f} s",
            where=where,
            remedy="See to the line, then try again.",
        ) from None
    finally:
        os.close(said)
        os.close(log)
        if process is not None and not opened:
            await asyncio.shield(end(process))


async def _until_open(said: int, process: asyncio.subprocess.Process) -> str:
    """Empty once the host runs the command; otherwise what went wrong."""
    loop = asyncio.get_running_loop()
    ended = asyncio.create_task(process.wait())
    text = b""
    try:
        while True:
            readable = asyncio.Event()
            loop.add_reader(said, readable.set)
            waiting = asyncio.create_task(readable.wait())
            try:
                await asyncio.wait((ended, waiting), return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
                loop.remove_reader(said)
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(said, 65536):
                    text += chunk
            for line in text.decode(errors="replace").splitlines():
                if "master session id" in line:
                    return ""
                if "session request failed" in line or "Control socket connect" in line:
                    return line
            if ended.done():
                return "ssh ended"
    finally:
        ended.cancel()


def _not_opened(problem: str, where: str) -> HostError:
    if "refused by peer" not in problem:
        return _lost(where)
    return ChannelRefused(
        f"the host does not run a (further) command: {problem.rpartition(': ')[2]}",
        where=where,
        remedy="Its sshd limits the commands at a time (MaxSessions) or what this account may run (ForceCommand).",
    )


def _lost(where: str) -> LineLost:
    return LineLost(
        "the connection broke before the command was started",
        where=where,
        remedy="See to the line, then try again.",
    )


async def _serves(control: Path) -> bool:
    """Whether the master still answers."""
    process = await asyncio.create_subprocess_exec(
        *("ssh", *mux_options(control), "-O", "check", "host"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_CHECKING):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        await asyncio.shield(end(process))
