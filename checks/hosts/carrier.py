"""A socket on this machine and a program on another, whose standard streams are one conversation."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import Final

from checks.hosts.channel import Channel
from checks.hosts.errors import LineLost
from runbook.text import clean

_CHUNK: Final = 65_536
_TAIL: Final = 4_096
"""Bytes kept of what the far program prints as errors."""

_PATIENCE: Final = 2.0
"""Seconds for the far program to tell how it ended, once it says nothing more."""


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


class Carrier:
    """Carries bytes both ways and keeps none of them; a PIN may be among them."""

    def __init__(self, channel: Channel) -> None:
        self.ended: FarEnd | None = None
        """Set before the socket is closed, so whoever uses it cannot notice first."""
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._words = bytearray()
        self._errors = asyncio.create_task(self._keep_words(), name="far program, errors")

    async def carry(self, connection: socket.socket) -> None:
        """Until the far program has ended or the line is lost; then the socket is closed."""
        with connection:
            connection.setblocking(False)
            up = asyncio.create_task(self._up(connection))
            try:
                with contextlib.suppress(LineLost, OSError):
                    await self._down(connection)
                self.ended = await self._end()
            finally:
                up.cancel()
                await asyncio.gather(up, return_exceptions=True)

    async def close(self) -> None:
        """End the far program; bounded, never raises. `carry` is not under way any more."""
        self._errors.cancel()
        await asyncio.gather(self._errors, return_exceptions=True)
        await self._channel.close()

    async def _up(self, connection: socket.socket) -> None:
        buffer = bytearray(_CHUNK)
        while count := await self._loop.sock_recv_into(connection, buffer):
            try:
                await self._channel.write(bytes(memoryview(buffer)[:count]))
            except LineLost:
                return  # told where the far program's answers are read
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
