"""The pcscd of input-b, its socket, and the dongle that one pcscd at a time can claim.

The USB interface of a dongle has one user (libusb_claim_interface): of the host's pcscd and the one in the CA's
container, whichever started first has it, and the other sees no reader until it is started again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from rehearsal.card.virtual_reader import VirtualReader, Within


class HostPcscd:
    """What the units stand for, done: a socket that listens, a pcscd that serves it, a dongle in its reader or not.

    `reader` is the host's, not running; `engine` the network in which the containers' pcscd has its reader. What starts
    something raises ReaderUnavailable and CardControlFailed.
    """

    def __init__(self, reader: VirtualReader, engine: Within) -> None:
        self._pcscd = reader.pcscd
        self._card = reader.cards[0]
        self._engine = engine
        self._listener: socket.socket | None = None
        self._here = False
        """Whether the dongle's program runs beside the host's reader."""

    @property
    def main_pid(self) -> int:
        """0: it does not run."""
        return self._pcscd.pid or 0

    def listen(self) -> None:
        """The socket is there, and clients that connect wait until it is served."""
        if self._listener is None:
            self._listener = self._pcscd.listening()

    async def close(self) -> None:
        """The socket is gone; what ran is stopped."""
        self.drop()
        await self._pcscd.stop()

    def when_asked(self, wake: Callable[[], None]) -> None:
        """Call `wake` once when a client waits at the socket."""
        listener = self._listener
        if listener is None:
            return

        def waiting() -> None:
            self.ignore()
            wake()

        asyncio.get_running_loop().add_reader(listener, waiting)

    def ignore(self) -> None:
        """Nobody is to be told of clients."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)

    async def start(self) -> None:
        """pcscd serves the socket; the dongle is in its reader, unless another pcscd has claimed it."""
        self.listen()
        self.ignore()
        if self._listener is None or self.main_pid:
            return
        await self._pcscd.serve(self._listener)
        if await self._free():
            await self._card.stop()
            self._here = True
            await self._card.start()
            await self._pcscd.wait_for_cards(1)
        else:
            await self._pcscd.wait_for_cards(0)

    async def stop(self) -> None:
        """pcscd is gone; the dongle is for whoever claims it among the containers."""
        await self._pcscd.stop(listening=self._listener is not None)
        await self.let_go()

    async def let_go(self) -> None:
        """The dongle waits for a container's pcscd."""
        if self._here or not self._card.running:
            await self._card.stop()
            self._here = False
            await self._card.start(self._engine, powered=False)

    async def _free(self) -> bool:
        if self._here or not self._card.running:
            return True
        return not (await self._card.control.status()).connected

    async def ended(self) -> None:
        """Wait until pcscd has ended, however."""
        await self._pcscd.ended()

    def drop(self) -> None:
        """Let go of the socket."""
        self.ignore()  # while it is open: the event loop would take the next file of its number for it
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
