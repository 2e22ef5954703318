"""A pcscd of our own, with virtual readers only, beside whatever pcscd the machine runs.

Its socket is private: libpcsclite finds it through PCSCLITE_CSOCK_NAME. So any number may run at once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from pathlib import Path

from rehearsal.card import children, fitness, hold
from rehearsal.card.enclosure import Enclosure
from rehearsal.card.errors import ReaderUnavailable
from runbook.children import start as start_child

FIRST_PORT = 35963
_SLOTS = 2
"""The driver gives each reader two slots, on two ports in a row; the second stays empty."""

_DEADLINE = 10.0
_POLL = 0.02
_LONGEST_PATH = 107
_CONFIGURATION = "conf"
_SOCKET = "pcscd.comm"


def port(reader: int) -> int:
    """Where the reader's first slot waits for its card; readers are counted from 0."""
    return FIRST_PORT + _SLOTS * reader


def lay_out(drivers: Path, readers: int) -> None:
    """Make the folder that pcscd sees as that of its drivers: the virtual readers' drivers and their configuration.

    Each reader has a copy of the driver: in one copy all readers share their cards (it tells them apart by slot only).
    """
    configuration = drivers / _CONFIGURATION / "readers"
    configuration.parent.mkdir(parents=True, mode=0o700)
    for reader in range(readers):
        shutil.copyfile(fitness.DRIVER, drivers / _library(reader))
    configuration.write_text("".join(_entry(reader) for reader in range(readers)))


def environment_for(folder: Path) -> dict[str, str]:
    """What a PC/SC client needs in its environment to meet the pcscd whose socket is in `folder`."""
    return {"PCSCLITE_CSOCK_NAME": str(folder / _SOCKET)}


class Pcscd:
    """Starts and stops pcscd in an enclosure whose drivers `lay_out` made; `folder` gets its socket and its log."""

    def __init__(self, enclosure: Enclosure, folder: Path) -> None:
        self._enclosure = enclosure
        self._folder = folder
        self._socket = folder / _SOCKET
        self._log = folder / "pcscd.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a PC/SC client needs in its environment to meet this pcscd."""
        return environment_for(self._folder)

    @property
    def pid(self) -> int | None:
        """The process id, while it was started and not stopped."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Returns once pcscd listens; raises ReaderUnavailable."""
        # Our own copy of the listening socket closes here: were pcscd to end, clients are refused and do not hang.
        with self.listening() as listener:
            await self.serve(listener)

    def listening(self) -> socket.socket:
        """Its socket, listening; clients wait until somebody serves it. Raises ReaderUnavailable."""
        if len(str(self._socket).encode()) > _LONGEST_PATH:
            raise ReaderUnavailable("the path of pcscd's socket is too long", where=str(self._socket))
        listener = socket.socket(socket.AF_UNIX)
        try:
            self._socket.unlink(missing_ok=True)
            listener.bind(str(self._socket))
            listener.listen()
        except BaseException:
            listener.close()
            raise
        return listener

    async def serve(self, listener: socket.socket) -> None:
        """Start pcscd on a socket that listens already."""
        listen = (sys.executable, "-I", "-m", "rehearsal.card.listen", str(os.getpid()))
        configuration = f"{hold.PLACE}/{_CONFIGURATION}"
        pcscd = (str(fitness.program("pcscd")), "--foreground", "--config", configuration)
        self._process = await children.start(
            self._enclosure.command(*listen, str(listener.fileno()), *pcscd, mounts=True),
            log=self._log,
            pass_fds=[listener.fileno()],
        )

    async def ended(self) -> None:
        """Wait until it has ended, by itself too."""
        if self._process:
            await self._process.wait()

    async def stop(self, *, listening: bool = False) -> None:
        """End pcscd, and wait until it is gone; its socket too, unless somebody else is still `listening` there."""
        process, self._process = self._process, None
        if process:
            await children.end(process)
        if not listening:
            self._socket.unlink(missing_ok=True)

    async def wait_for_cards(self, count: int) -> None:
        """Wait until a PC/SC client sees as many cards in all readers; raises ReaderUnavailable after 10 s."""
        seen = ""
        try:
            async with asyncio.timeout(_DEADLINE):
                while _cards(seen := await self._readers()) != count:  # noqa: ASYNC110 - pcscd is the event
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise ReaderUnavailable(
                f"the virtual readers did not show {count} cards within {_DEADLINE:g} s, but: {seen.strip()}",
                where=str(self._log),
            ) from error

    async def _readers(self) -> str:
        if self._process is None or self._process.returncode is not None:
            log = await asyncio.to_thread(self._log.read_text, errors="replace")
            raise ReaderUnavailable(f"pcscd has ended: {log[-500:].strip()}", where=str(self._log))
        client = await start_child(
            *(str(fitness.program("opensc-tool")), "--list-readers"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.environment, "LC_ALL": "C"},
        )
        try:
            output, _ = await client.communicate()
        finally:
            await children.end(client)
        return output.decode(errors="replace")


def _library(reader: int) -> str:
    return f"reader-{reader + 1}.so"


def _entry(reader: int) -> str:
    return (
        f'FRIENDLYNAME "Rehearsal reader {reader + 1}"\n'
        f"DEVICENAME /dev/null:{port(reader):#x}\n"
        f"LIBPATH {hold.PLACE}/{_library(reader)}\n"
        f"CHANNELID {port(reader):#x}\n\n"
    )


def _cards(listing: str) -> int:
    # "0    Yes             Rehearsal reader 1 00 00"
    return sum(1 for line in listing.splitlines() if line.split()[1:2] == ["Yes"])
