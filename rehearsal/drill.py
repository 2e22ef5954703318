"""Faults of the card and its reader, each armed by a fact and never by time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from rehearsal.card import children
from rehearsal.card.errors import ReaderUnavailable
from rehearsal.card.faults import FaultKind
from rehearsal.card.virtual_reader import VirtualReader
from rehearsal.faults import Fault
from runbook.children import start as start_child

SLOW_MILLISECONDS = 50.0
_SIGN = "SIGN"
_DEADLINE = 10.0


@contextlib.asynccontextmanager
async def drilling(reader: VirtualReader, fault: Fault | None) -> AsyncIterator[None]:
    """The fault is there, or armed, inside. Raises ReaderUnavailable and CardControlFailed.

    Faults that are in the card's state from the start, or come with the host role, need nothing here.
    """
    match fault:
        case Fault.CARD_PULLED:
            await reader.control.fault(FaultKind.PULL, command=_SIGN, carried_out=False)
        case Fault.CARD_SILENT:
            await reader.control.fault(FaultKind.SILENT, command=_SIGN)
        case Fault.CARD_SLOW:
            await reader.control.slow(SLOW_MILLISECONDS)
        case Fault.READER_MISSING:
            await reader.pcscd.stop()
        case Fault.TOKEN_BUSY:
            async with _occupied(reader):
                yield
            return
    yield


async def mend(reader: VirtualReader, card: Path) -> None:
    """What a person would put right: the reader works, and the lab's own card is in it and answers.

    To be called when `drilling` has ended. A counter that was spent stays spent. Raises ReaderUnavailable and
    CardControlFailed.
    """
    await reader.control.clear()
    if reader.pcscd.pid is None:
        await reader.pcscd.start()
    await reader.control.pull()
    await reader.pcscd.wait_for_cards(0)
    await reader.control.insert(card)
    await reader.pcscd.wait_for_cards(1)


@contextlib.asynccontextmanager
async def _occupied(reader: VirtualReader) -> AsyncIterator[None]:
    occupant = await start_child(
        *(sys.executable, "-I", "-m", "rehearsal.occupy", str(os.getpid())),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **reader.environment},
        process_group=0,
    )
    try:
        if occupant.stdout is None:
            raise RuntimeError("the occupant has no pipe")
        async with asyncio.timeout(_DEADLINE):
            first = await occupant.stdout.readline()
        if first != b"held\n":
            raise ReaderUnavailable("the other process could not take the card")
        yield
    finally:
        await children.end(occupant)
