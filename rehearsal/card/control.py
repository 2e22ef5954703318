"""The control interface: JSON lines on a Unix socket that only its owner can reach."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from rehearsal.card.errors import CardControlFailed
from rehearsal.card.faults import Fault, PadEntry, PinCheckFault
from rehearsal.card.machine import Machine
from rehearsal.card.status import CardStatus
from rehearsal.card.transport import Slot
from runbook.errors import RunbookError

_LONGEST_PATH = 107
"""Bytes of a Unix socket's address (unix(7))."""


class Pull(msgspec.Struct, frozen=True, tag_field="do", tag="pull"):
    """Take the card out."""


class Insert(msgspec.Struct, frozen=True, tag_field="do", tag="insert"):
    """Put the card in, or the card of another state file."""

    state: str | None = None


class Slow(msgspec.Struct, frozen=True, tag_field="do", tag="slow"):
    """Take this many milliseconds for each APDU."""

    milliseconds: float


class AddFault(msgspec.Struct, frozen=True, tag_field="do", tag="fault"):
    """Suffer a fault at an APDU to come."""

    fault: Fault


class AtPinCheck(msgspec.Struct, frozen=True, tag_field="do", tag="at_pin_check"):
    """Suffer a fault in the middle of the next PIN check."""

    fault: PinCheckFault


class AtPad(msgspec.Struct, frozen=True, tag_field="do", tag="at_pad"):
    """Type this from now on where the card has a PIN pad."""

    entry: PadEntry


class Clear(msgspec.Struct, frozen=True, tag_field="do", tag="clear"):
    """Forget all faults and the delay."""


class Status(msgspec.Struct, frozen=True, tag_field="do", tag="status"):
    """Only tell how the card is."""


Request: TypeAlias = Pull | Insert | Slow | AddFault | AtPinCheck | AtPad | Clear | Status


class Reply(msgspec.Struct, frozen=True):
    """Every request is answered with the card's status, or with why it was not done."""

    status: CardStatus | None = None
    error: str | None = None


def socket_of(state: Path) -> Path:
    """Where the card with this state file listens unless it is told another place."""
    return state.with_name(f"{state.name}.control")


@contextlib.asynccontextmanager
async def serving(path: Path, machine: Machine, slot: Slot) -> AsyncIterator[None]:
    """Listen on `path` inside; raises CardControlFailed when that is impossible."""
    if len(str(path).encode()) > _LONGEST_PATH:
        raise CardControlFailed(
            f"the path is longer than {_LONGEST_PATH} bytes, which no Unix socket can have",
            where=str(path),
            remedy="Give a shorter one with --control.",
        )

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await _reply(line, machine, slot)) + b"\n")
                await writer.drain()

    with _bound(path) as listener:
        server = await asyncio.start_unix_server(client, sock=listener)
        try:
            yield
        finally:
            server.close()


@contextlib.contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)  # a killed card leaves its socket; the state's lock says that nobody listens
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o600)
            yield listener
    finally:
        path.unlink(missing_ok=True)


async def _reply(line: bytes, machine: Machine, slot: Slot) -> Reply:
    try:
        await _do(msgspec.json.decode(line, type=Request), machine, slot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Reply(error=f"not a request: {error}")
    except RunbookError as error:
        return Reply(error=str(error))
    return Reply(machine.status(inserted=slot.inserted, connected=slot.connected))


async def _do(request: Request, machine: Machine, slot: Slot) -> None:
    match request:
        case Pull():
            slot.pull()
        case Insert(state):
            if state is not None:
                slot.pull()
                await machine.swap(Path(state))
            slot.insert()
        case Slow(milliseconds):
            machine.faults.delay = milliseconds / 1000
        case AddFault(fault):
            machine.faults.add(fault)
        case AtPinCheck(fault):
            machine.faults.at_pin_check = fault
        case AtPad(entry):
            machine.faults.pad = entry
        case Clear():
            machine.faults.clear()
        case Status():
            pass
