"""The other end of a running card's control socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from rehearsal.card import control
from rehearsal.card.apdu import SW
from rehearsal.card.errors import CardControlFailed
from rehearsal.card.faults import Fault, FaultKind, PadEntry, PinCheckFault
from rehearsal.card.status import CardStatus

_DEADLINE = 5.0
_POLL = 0.01
_LINE = 4 << 20


class CardControl:
    """Asks a running card for faults and facts. Every method raises CardControlFailed within five seconds."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def status(self) -> CardStatus:
        """How the card is now."""
        return await self._ask(control.Status())

    async def pull(self) -> CardStatus:
        """Take the card out of the reader. pcscd looks every 0.4 s, so the world may learn of it a little later."""
        return await self._ask(control.Pull())

    async def insert(self, state: Path | None = None) -> CardStatus:
        """Put the card in, or after pulling it the one of another state file (an absolute path)."""
        return await self._ask(control.Insert(str(state) if state else None))

    async def slow(self, milliseconds: float) -> CardStatus:
        """Let each APDU take this long."""
        return await self._ask(control.Slow(milliseconds))

    async def fault(
        self,
        kind: FaultKind,
        *,
        after: int = 1,
        carried_out: bool = True,
        status: int = SW.UNKNOWN_FAILURE,
        command: str = "",
    ) -> CardStatus:
        """A fault at the n-th APDU from now, or of those with that name; see Fault."""
        return await self._ask(control.AddFault(Fault(kind, after, carried_out, int(status), command)))

    async def at_pin_check(self, fault: PinCheckFault = PinCheckFault.POWER_LOSS) -> CardStatus:
        """A fault in the middle of the next PIN check, when the try is spent and nothing is answered."""
        return await self._ask(control.AtPinCheck(fault))

    async def at_pad(self, entry: PadEntry) -> CardStatus:
        """What is typed from now on, on a card with a PIN pad; the right PIN unless told."""
        return await self._ask(control.AtPad(entry))

    async def clear(self) -> CardStatus:
        """No faults and no delay any more."""
        return await self._ask(control.Clear())

    async def wait_until(self, fact: Callable[[CardStatus], bool], *, deadline: float = 10.0) -> CardStatus:
        """Wait until the card's status is so, at most `deadline` seconds."""
        try:
            async with asyncio.timeout(deadline):
                while not fact(status := await self.status()):  # noqa: ASYNC110 - another process is the event
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise CardControlFailed(
                f"the card did not come to it within {deadline:g} s", where=str(self._path)
            ) from error
        return status

    async def _ask(self, request: control.Request) -> CardStatus:
        try:
            async with asyncio.timeout(_DEADLINE):
                reader, writer = await asyncio.open_unix_connection(self._path, limit=_LINE)
                with contextlib.closing(writer):
                    writer.write(msgspec.json.encode(request) + b"\n")
                    await writer.drain()
                    line = await reader.readline()
            reply = msgspec.json.decode(line, type=control.Reply)
        except (OSError, TimeoutError, ValueError, msgspec.DecodeError) as error:
            raise CardControlFailed(
                "the card does not answer on its control socket",
                where=str(self._path),
                remedy="Is its process still running?",
            ) from error
        if reply.status is None:
            raise CardControlFailed(reply.error or "the card refused", where=str(self._path))
        return reply.status
