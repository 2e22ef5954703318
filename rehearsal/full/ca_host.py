"""input-b of a full lab as it runs: its services, and the dongle in its port."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from rehearsal.card.virtual_reader import VirtualReader, Within
from rehearsal.drill import drilling
from rehearsal.faults import Fault
from rehearsal.full.host_pcscd import HostPcscd
from rehearsal.full.machines import systemd_socket, units_file
from rehearsal.full.services import Services
from rehearsal.full.units import SERVICE, SOCKET
from rehearsal.smartcard import CardPlaces


class CaHost:
    """What a drill does to it."""

    def __init__(self, reader: VirtualReader, services: Services) -> None:
        self._reader = reader
        self.services = services

    @contextlib.asynccontextmanager
    async def drilling(self, fault: Fault | None) -> AsyncIterator[None]:
        """The fault is there, or armed, inside; as `rehearsal.drill` has it."""
        if fault is Fault.READER_MISSING:
            if self.services.fresh:  # later on it is as people have left it
                await self.services.call(["stop", SERVICE, SOCKET])
            fault = None
        async with drilling(self._reader, fault):
            yield

    async def mend(self, fault: Fault | None, card: Path) -> None:
        """What a person would put right: pcscd runs, or the lab's own card is in and answers.

        A card that nothing is wrong with stays where it is; a CA may be using it. Raises CardControlFailed.
        """
        match fault:
            case Fault.READER_MISSING:
                await self.services.call(["start", SOCKET])
            case Fault.CARD_SLOW:
                await self._reader.control.clear()
            case Fault.CARD_PULLED | Fault.CARD_SILENT | Fault.CARD_SWAPPED:
                await self._reader.control.clear()
                await self._reader.control.insert(card)


@contextlib.asynccontextmanager
async def ca_host(places: CardPlaces, engine: Within) -> AsyncIterator[CaHost]:
    """Inside, it is as it was left, the dongle in its reader or for a pcscd in the network that `engine` leads into.

    Raises ReaderUnavailable and EnvironmentLacks.
    """
    async with (
        VirtualReader(places.reader, [places.inserted], running=False) as reader,
        Services(units_file(places.lab), systemd_socket(places.lab), HostPcscd(reader, engine)) as services,
    ):
        yield CaHost(reader, services)
