"""The front door of a lab: where on this machine the CA and Dex are met, and the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from rehearsal.card import children
from rehearsal.full.front import ANOTHER_ROOT
from runbook.children import start as start_child
from runbook.errors import EnvironmentLacks

FOLDER: Final = "front"
_ADDRESS: Final = "127.0.0.1"
_PORTS: Final = "ports.json"
_DEADLINE: Final = 30.0


class Ports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On this machine's loopback; the same as long as the lab lives."""

    ca: int
    auth: int

    @property
    def ca_connect(self) -> str:
        """`HOST:PORT` in the place of ca.ccat.uni-koeln.de:443."""
        return f"{_ADDRESS}:{self.ca}"

    @property
    def auth_connect(self) -> str:
        """`HOST:PORT` in the place of auth.ccat.uni-koeln.de:443."""
        return f"{_ADDRESS}:{self.auth}"


def make_front(lab: Path, *, another_root: bool = False) -> Ports:
    """Make the front door's folder in a fresh lab, with two ports that are free now.

    `another_root`: somebody else answers in the CA's place, until `believe` is called.
    """
    folder = lab / FOLDER
    folder.mkdir(mode=0o700)
    with _listen(0) as ca, _listen(0) as auth:
        ports = Ports(ca.getsockname()[1], auth.getsockname()[1])
    (folder / _PORTS).write_bytes(msgspec.json.encode(ports))
    if another_root:
        (folder / ANOTHER_ROOT).touch()
    return ports


def believe(lab: Path) -> None:
    """From now on the CA itself answers."""
    (lab / FOLDER / ANOTHER_ROOT).unlink(missing_ok=True)


class FrontDoor:
    """Open as long as the context lasts; it closes with this process. Raises EnvironmentLacks.

    `inside`: how a command is run in the network namespace of the CA's host; `public_ca`: the folder of the public CA.
    """

    def __init__(self, lab: Path, public_ca: Path, inside: Callable[..., list[str]]) -> None:
        self._folder = lab / FOLDER
        self._public_ca = public_ca
        self._inside = inside
        self._log = lab / "front.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> FrontDoor:
        ports = msgspec.json.decode((self._folder / _PORTS).read_bytes(), type=Ports)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            with _listen(ports.ca) as ca, _listen(ports.auth) as auth:
                fds = (ca.fileno(), auth.fileno())
                front = (sys.executable, "-I", "-m", "rehearsal.full.front", str(self._folder), str(self._public_ca))
                self._process = await start_child(
                    *self._inside(*front, *map(str, fds), str(os.getpid())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    pass_fds=fds,
                    process_group=0,
                )
        except OSError as error:
            raise EnvironmentLacks(
                f"the front door's ports cannot be listened at: {error.strerror}",
                where=f"{ports.ca_connect}, {ports.auth_connect}",
                remedy="Another program listens there; end it, or begin a new rehearsal.",
            ) from error
        finally:
            os.close(log)
        try:
            await asyncio.wait_for(self._serving(self._process), _DEADLINE)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._end()

    async def _serving(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise RuntimeError("the front door has no pipe")
        if await process.stdout.readline() != b"serving\n":
            said = await asyncio.to_thread(self._log.read_text, errors="replace")
            raise EnvironmentLacks(f"the front door does not open: {said[-400:].strip()}", where=str(self._log))

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            await children.end(process)


def _listen(port: int) -> contextlib.closing[socket.socket]:
    """A listening socket."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_ADDRESS, port))
        listener.listen(100)
    except OSError:
        listener.close()
        raise
    return contextlib.closing(listener)
