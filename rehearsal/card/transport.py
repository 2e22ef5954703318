"""The reader's side of the card: the protocol of vsmartcard's virtual reader (vpcd).

The driver inside pcscd listens, the card connects. Every message has its length before it, two bytes, big endian.
A message of one byte is for the card's contacts (off, on, reset, ask for the ATR); all others are APDUs. Only the
ATR and APDUs are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from rehearsal.card.machine import Machine, Pulled, Silence

_OFF, _ON, _RESET, _GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"
_CONTACTS = (_OFF, _ON, _RESET, _GET_ATR)
_AGAIN = 0.05
"""Seconds between attempts to reach the reader; pcscd may start after the card, or be restarted."""
_CONNECT = 1.0
"""Seconds for one attempt; one that meets a pcscd at its end may be asked again by the kernel for much longer."""
_OUT = 0.5
"""Seconds that a card stays out at least. pcscd looks every 0.4 s, and would take what is put in faster for the same
card, which it need not power."""


class Slot:
    """Keeps the card in the reader at `host`:`port` as long as it is inserted."""

    def __init__(self, machine: Machine, host: str, port: int) -> None:
        self._machine = machine
        self._address = (host, port)
        self._inserted = asyncio.Event()
        self._inserted.set()
        self._connection: asyncio.StreamWriter | None = None

    @property
    def inserted(self) -> bool:
        return self._inserted.is_set()

    @property
    def connected(self) -> bool:
        """Whether a reader holds it."""
        return self._connection is not None

    def insert(self) -> None:
        """Put the card into the reader."""
        self._inserted.set()

    def pull(self) -> None:
        """Take the card out of the reader, whatever it is doing."""
        self._inserted.clear()
        if self._connection:
            self._connection.transport.abort()

    async def run(self) -> None:
        """Serve the reader until cancelled."""
        while True:
            await self._inserted.wait()
            try:
                async with asyncio.timeout(_CONNECT):
                    stream, writer = await asyncio.open_connection(*self._address)
            except OSError:
                await asyncio.sleep(_AGAIN)
                continue
            self._connection = writer
            try:
                await self._serve(stream, writer)
            finally:
                self._connection = None
                self._machine.reset(powered=False)
                writer.transport.abort()
            await asyncio.sleep(_OUT)

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Reset, end of file or a message cut off: the reader has let go of the card.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while self.inserted:
                # Each kind of waiting for an acknowledgement costs 40 ms an APDU; this option is not lasting.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                message = await stream.readexactly(int.from_bytes(await stream.readexactly(2)))
                try:
                    answer = await self._answer(message)
                except Pulled:
                    self._inserted.clear()
                    return
                except Silence:
                    continue
                if answer is not None and self.inserted:
                    writer.write(len(answer).to_bytes(2) + answer)
                    await writer.drain()

    async def _answer(self, message: bytes) -> bytes | None:
        if message == _GET_ATR:
            return self._machine.answer_to_reset
        if message in _CONTACTS:
            self._machine.reset(powered=message != _OFF)
            return None
        return await self._machine.answer(message)
