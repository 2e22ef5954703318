"""The line between a worker here and `p11-kit remote` on another host (p11-kit(8)).

p11-kit's client module speaks through a Unix socket; what it says goes to the standard input of the far program, and
its answers come back. The socket lies in a folder of its own (0700), takes the one connection of the worker it was
made for, and is gone from then on. Nothing is kept of what passes: a PIN is among it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from checks.hosts.channel import Channel
from checks.hosts.errors import LineLost
from runbook.text import clean

_CHUNK: Final = 65_536
_TAIL: Final = 4_096
"""Bytes kept of what the far program prints as errors."""

_PATIENCE: Final = 2.0
"""Seconds for the far program to tell how it ended, once it says nothing more."""

_LONGEST: Final = 80
"""Bytes of the temporary folder's path; a Unix socket's has room for 107 (unix(7))."""

_SHORT: Final = "/tmp"  # noqa: S108 - the folder made in it is private

_CREDENTIALS = struct.Struct("3i")
"""struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """How the far program ended."""

    lost: bool
    """The connection broke: how the program ended is not known."""
    exit_code: int | None = None
    signal: str = ""
    words: str = ""
    """The end of what it printed as errors, cleaned; it may hold what only a redactor knows to be a secret."""

    @property
    def how(self) -> str:
        if self.signal:
            return f"was ended by {self.signal}"
        return "ended" if self.exit_code is None else f"left with status {self.exit_code}"


class Line:
    """One channel and the socket in front of it."""

    def __init__(self, channel: Channel, folder: Path, listener: socket.socket) -> None:
        self.ended: FarEnd | None = None
        """Set before the worker can notice."""
        self._channel = channel
        self._folder = folder
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._worker: asyncio.Future[int] = self._loop.create_future()
        self._words = bytearray()
        self._errors = asyncio.create_task(self._keep_words(), name="token line, errors")
        self._task = asyncio.create_task(self._carry(), name="token line")

    @classmethod
    async def open(cls, channel: Channel) -> Line:
        """Listen for the worker. The channel is closed with the line, also where this fails."""
        try:
            folder, listener = await asyncio.to_thread(_listen)
        except BaseException:
            await channel.close()
            raise
        return cls(channel, folder, listener)

    @property
    def address(self) -> str:
        """What P11_KIT_SERVER_ADDRESS says of it; the path is percent-encoded there."""
        return f"unix:path={quote(str(self._folder / _NAME))}"

    def serve(self, worker: int) -> None:
        """The process that may connect; until then nobody is let in."""
        self._worker.set_result(worker)

    async def close(self) -> None:
        """End the far program and remove what is left here; bounded, never raises."""
        for task in (self._task, self._errors):
            task.cancel()
        await asyncio.gather(self._task, self._errors, return_exceptions=True)
        await asyncio.to_thread(self._unlisten)
        await self._channel.close()

    async def _carry(self) -> None:
        connection = await self._accepted()
        with connection:
            await asyncio.to_thread(self._unlisten)
            up = asyncio.create_task(self._up(connection))
            try:
                with contextlib.suppress(LineLost, OSError):
                    await self._down(connection)
                self.ended = await self._end()
            finally:
                up.cancel()
                await asyncio.gather(up, return_exceptions=True)

    async def _accepted(self) -> socket.socket:
        """The worker's connection; another process of this account that comes first is turned away."""
        while True:
            connection, _ = await self._loop.sock_accept(self._listener)
            pid, _, _ = _CREDENTIALS.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            if pid == await self._worker:
                return connection
            connection.close()

    async def _up(self, connection: socket.socket) -> None:
        """From the worker to the far program; what comes may be a PIN, so the buffer is wiped each time."""
        buffer = bytearray(_CHUNK)
        while count := await self._loop.sock_recv_into(connection, buffer):
            try:
                await self._channel.write(bytes(memoryview(buffer)[:count]))
            except LineLost:
                return  # told where its answers are read
            finally:
                buffer[:count] = bytes(count)
        await self._channel.write_eof()

    async def _down(self, connection: socket.socket) -> None:
        while chunk := await self._channel.stdout.read(_CHUNK):
            await self._loop.sock_sendall(connection, chunk)

    async def _end(self) -> FarEnd:
        try:
            async with asyncio.timeout(_PATIENCE):
                ended = await self._channel.wait()
                await asyncio.wait({self._errors})
        except LineLost:
            return FarEnd(lost=True)
        except TimeoutError:
            return FarEnd(lost=False, words=self._said())
        return FarEnd(lost=False, exit_code=ended.exit_code, signal=ended.signal, words=self._said())

    async def _keep_words(self) -> None:
        """Read what the far program prints, so that it never blocks, and keep the end of it."""
        while chunk := await self._channel.stderr.read(_TAIL):
            self._words = (self._words + chunk)[-_TAIL:]

    def _said(self) -> str:
        return clean(self._words.decode(errors="replace")).strip()

    def _unlisten(self) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


_NAME: Final = "p11"


def _listen() -> tuple[Path, socket.socket]:
    parent = tempfile.gettempdir()
    short = parent if len(os.fsencode(parent)) < _LONGEST else _SHORT
    folder = Path(tempfile.mkdtemp(prefix="runbook-", dir=short))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(folder / _NAME))
        listener.listen(1)
        listener.setblocking(False)
    except OSError:
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, listener
