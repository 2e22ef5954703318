"""One command over a paramiko connection."""

from __future__ import annotations

import asyncio
import contextlib

import paramiko
from paramiko.buffered_pipe import BufferedPipe, PipeTimeout
from paramiko.common import cMSG_CHANNEL_WINDOW_ADJUST

from checks.hosts.channel import Ended
from checks.hosts.errors import LineLost
from checks.hosts.paramiko_transport import SshTransport
from checks.hosts.threads import Threads
from runbook.wiping import wipe_lent

_CHUNK = 64 * 1024
_SEND = 32 * 1024
_CLOSING = 3.0
"""Seconds to tell the far side that a channel is closed."""


class _Flow(asyncio.ReadTransport):
    """What a StreamReader tells when its buffer is full, and when it has room again."""

    def __init__(self, channel: ParamikoChannel) -> None:
        super().__init__()
        self._channel = channel
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
        self._channel.wake()


class ParamikoChannel:
    """A `Channel`; made by the connection once the command is accepted."""

    def __init__(self, channel: paramiko.Channel, transport: SshTransport, threads: Threads, where: str) -> None:
        self._channel = channel
        self._transport = transport
        self._threads = threads
        self._where = where
        self._happened = asyncio.Event()
        self._over = asyncio.Event()
        self._closed_here = False
        self._adjusting: set[asyncio.Task[None]] = set()
        self.stdout, self._stdout_flow = self._stream()
        self.stderr, self._stderr_flow = self._stream()
        channel.settimeout(0.0)
        transport.watch(channel, self.wake)
        self.wake()

    def _stream(self) -> tuple[asyncio.StreamReader, _Flow]:
        reader, flow = asyncio.StreamReader(), _Flow(self)
        reader.set_transport(flow)
        return reader, flow

    def wake(self) -> None:
        """Something happened: take what is there, as far as there is room for it."""
        self._happened.set()
        if self._closed_here:
            return
        # Taken before the buffers are looked at: what comes later is announced again.
        ended = self._channel.closed or self._channel.eof_received
        taken = self._take(self._channel.in_buffer, self.stdout, self._stdout_flow, ended)
        taken += self._take(self._channel.in_stderr_buffer, self.stderr, self._stderr_flow, ended)
        if taken and (room := self._channel._check_add_window(taken)):
            task = asyncio.create_task(self._make_room(room))
            self._adjusting.add(task)
            task.add_done_callback(self._adjusting.discard)
        if self._channel.chanid in self._transport.finished or not self._transport.active:
            self._over.set()

    def _take(self, pipe: BufferedPipe, reader: asyncio.StreamReader, flow: _Flow, ended: bool) -> int:
        taken = 0
        while not flow.paused:
            try:
                data = pipe.read(_CHUNK, 0.0)
            except PipeTimeout:
                break
            if not data:
                break
            taken += len(data)
            reader.feed_data(data)
        if ended and not len(pipe) and not reader.at_eof():
            reader.feed_eof()
        return taken

    async def _make_room(self, room: int) -> None:
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_WINDOW_ADJUST)
        message.add_int(self._channel.remote_chanid)
        message.add_int(room)
        # A line that is lost is told by `wait`.
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError, RuntimeError):
            await self._threads.run(self._transport._send_user_message, message)

    async def write(self, data: bytes | bytearray) -> None:
        """What comes after the command's end goes nowhere, as with a pipe that nobody reads."""
        view = memoryview(data)
        while view:
            self._happened.clear()
            if self._over.is_set():
                self._check_line()
                return
            try:
                sent = await self._threads.run(self._send, bytes(view[:_SEND]), isinstance(data, bytearray))
            except TimeoutError:
                await self._happened.wait()
                continue
            except (paramiko.SSHException, EOFError, OSError):
                self._check_line()
                return
            self._check_line()
            if not sent:
                return
            view = view[sent:]

    def _send(self, piece: bytes, secret: bool) -> int:
        try:
            return int(self._channel.send(piece))
        finally:
            if secret:
                wipe_lent(piece)

    async def write_eof(self) -> None:
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            await self._threads.run(self._channel.shutdown_write)

    async def wait(self) -> Ended:
        await self._over.wait()
        told = self._channel.exit_status
        signal = self._transport.signals.get(self._channel.chanid, "")
        if not self._closed_here and not (self._channel.eof_received and (told >= 0 or signal)):
            self._check_line()
        return Ended(told if told >= 0 else None, signal)

    def _check_line(self) -> None:
        if not self._transport.active:
            raise LineLost(
                "the connection broke while a command was running",
                where=self._where,
                remedy="What the command did is not known. See to the line, then look on the host itself.",
            )

    async def close(self) -> None:
        self._closed_here = True
        self._transport.forget(self._channel)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self._threads.run(self._channel.close)
        self._stdout_flow.paused = self._stderr_flow.paused = False
        for reader in (self.stdout, self.stderr):
            if not reader.at_eof():
                reader.feed_eof()
        self._over.set()
