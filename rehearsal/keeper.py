"""`python -m rehearsal.keeper`: keeps the lab's card in its reader as long as its standard input is open.

A process of its own, so that neither the program's threads nor its end matter: when the program dies, however it does
(SIGKILL too), the kernel closes the pipe, and the card and pcscd go; in a full lab the engine and its containers too.
The first line of the input is a `Request` as JSON; one line is written, a `Ready` with an error or without. SIGUSR1
puts right what the drill made wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

import msgspec

from rehearsal import turn
from rehearsal.card.virtual_reader import VirtualReader
from rehearsal.drill import drilling, mend
from rehearsal.faults import Fault
from rehearsal.smartcard import CardPlaces
from runbook.errors import RunbookError


class Request(msgspec.Struct, frozen=True):
    """Which lab, and what goes wrong in it."""

    lab: str
    fault: Fault | None = None
    standing: bool = False
    """Whether others may use the card meanwhile as if it were in a reader of their own."""
    full: bool = False
    """Whether the lab has an engine, in whose containers the card may be, and a host with services."""


class Ready(msgspec.Struct, frozen=True):
    """The card is in its reader, or why it is not."""

    error: str = ""
    where: str = ""
    remedy: str = ""


async def keep(request: Request) -> None:
    """Until cancelled; raises RunbookError where the reader does not come up."""
    places = CardPlaces(Path(request.lab))
    with turn.alone(places) as mine:
        if not await mine.taken(standing=request.standing):
            _tell(Ready())  # the card is in a reader that others may use
            await _for_ever()
        # A lab that was kept, or whose program was killed, may have the folder of an earlier reader.
        await asyncio.to_thread(shutil.rmtree, places.reader, ignore_errors=True)
        places.reader.mkdir(mode=0o700)
        try:
            if request.full:
                await _in_house(places, request.fault)
            else:
                await _in_reader(places, request.fault)
        finally:
            await asyncio.to_thread(shutil.rmtree, places.reader, ignore_errors=True)


async def _in_reader(places: CardPlaces, fault: Fault | None) -> None:
    """The card that was in the reader last is in it again, and a fault that was put right stays so."""
    wanted = _asked_to_mend()
    async with VirtualReader(places.reader, [places.inserted]) as reader:
        async with drilling(reader, None if places.mended.exists() else fault):
            _ready(places)
            await wanted.wait()
        await mend(reader, places.state)
        _mended(places)
        await _for_ever()


async def _in_house(places: CardPlaces, fault: Fault | None) -> None:
    """The card is where the host's services leave it: in the host's reader, or for the engine's containers."""
    from rehearsal.full import drills
    from rehearsal.full.ca_host import ca_host
    from rehearsal.full.house import House
    from rehearsal.full.machines import network

    wanted = _asked_to_mend()
    async with House(places.lab) as house, ca_host(places, house.engine.command) as host:
        network(places.lab).symlink_to(f"/proc/{house.engine.inside}/ns/net")
        armed = None if places.mended.exists() else fault
        async with host.drilling(armed), drills.drilling(places.lab, house.engine.url, armed):
            _ready(places)
            await wanted.wait()
        await host.mend(armed, places.state)
        await drills.mend(places.lab, house.engine.url, fault)
        _mended(places)
        await _for_ever()


def _asked_to_mend() -> asyncio.Event:
    wanted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, wanted.set)
    return wanted


def _ready(places: CardPlaces) -> None:
    places.keeper.write_text(f"{os.getpid()}\n")
    _tell(Ready())


def _mended(places: CardPlaces) -> None:
    places.swapped.unlink(missing_ok=True)
    places.mended.touch()


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def main() -> int:
    """The exit status is an ExitCode."""
    loop = asyncio.get_running_loop()
    input_stream = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(input_stream), sys.stdin)
    request = msgspec.json.decode(await input_stream.readline(), type=Request)
    keeping = asyncio.create_task(keep(request))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, keeping.cancel)
    watching = asyncio.create_task(input_stream.read())
    watching.add_done_callback(lambda _: keeping.cancel())
    try:
        await keeping
    except asyncio.CancelledError:
        return 0
    except RunbookError as error:
        _tell(Ready(error.what, error.where, error.remedy))
        return error.exit_code
    finally:
        watching.cancel()
    return 0


def _tell(ready: Ready) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody is left to tell
        os.write(sys.stdout.fileno(), msgspec.json.encode(ready) + b"\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
