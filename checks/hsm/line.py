"""The line between a worker here and `p11-kit remote` on another host (p11-kit(8)).

p11-kit's client module speaks through a Unix socket; what it says goes to the standard input of the far program, and
its answers come back. The socket lies in a folder of its own (0700), takes the one connection of the worker it was
made for, and is gone from then on.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

from checks.hosts.carrier import Carrier, FarEnd
from checks.hosts.channel import Channel

_NAME: Final = "p11"
_LONGEST: Final = 80
"""Bytes of the temporary folder's path; a Unix socket's has room for 107 (unix(7))."""

_SHORT: Final = "/tmp"  # noqa: S108 - the folder made in it is private

_CREDENTIALS = struct.Struct("3i")
"""struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)."""


class Line:
    """One channel and the socket in front of it."""

    def __init__(self, channel: Channel, folder: Path, listener: socket.socket) -> None:
        self._folder = folder
        self._listener = listener
        self._carrier = Carrier(channel)
        self._worker: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(), name="token line")

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
    def ended(self) -> FarEnd | None:
        """How the far program ended, known before the worker can notice; None while it runs."""
        return self._carrier.ended

    @property
    def address(self) -> str:
        """What P11_KIT_SERVER_ADDRESS says of it; the path is percent-encoded there."""
        return f"unix:path={quote(str(self._folder / _NAME))}"

    def serve(self, worker: int) -> None:
        """The process that may connect; until then nobody is let in."""
        self._worker.set_result(worker)

    async def close(self) -> None:
        """End the far program and remove what is left here; bounded, never raises."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._unlisten)
        await self._carrier.close()

    async def _serve(self) -> None:
        connection = await self._accepted()
        await asyncio.to_thread(self._unlisten)
        await self._carrier.carry(connection)

    async def _accepted(self) -> socket.socket:
        """The worker's connection; another process of this account that comes first is turned away."""
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(self._listener)
            pid, _, _ = _CREDENTIALS.unpack(
                connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            if pid == await self._worker:
                return connection
            connection.close()

    def _unlisten(self) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)


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
