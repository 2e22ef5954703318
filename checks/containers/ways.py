"""Ways to an engine: its socket on this machine, or `docker system dial-stdio` on another."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final, Protocol

from checks.containers.errors import (
    DockerMissing,
    EngineError,
    EngineLineLost,
    EngineRefused,
    EngineUnreachable,
)
from checks.hosts.carrier import Carrier, FarEnd
from checks.hosts.machine import Machine
from runbook.secrets import Redactor
from runbook.site import EngineProfile
from runbook.text import clean_line

if TYPE_CHECKING:
    from checks.containers.transport import Connect  # it imports docker, which takes its time

OPEN_DEADLINE: Final = 120.0
"""Seconds to open one connection there, with the time of a person whom sudo asks."""

_KEPT: Final = 400


class Way(Protocol):
    """How connections to an engine are made."""

    @property
    def shown(self) -> tuple[str, ...]: ...
    async def prepare(self) -> None:
        """Make the first connection, with whoever is to be asked for it; people's time has no deadline of a request."""
        ...

    def connector(self) -> Connect:
        """For threads; the event loop of now serves them."""
        ...

    @property
    def lost(self) -> int:
        """How many connections were lost so far."""
        ...

    def why(self, where: str, error: Exception) -> EngineError:
        """The error for a request that failed."""
        ...

    async def close(self) -> None: ...


class LocalWay:
    """The socket on this machine."""

    def __init__(self, profile: EngineProfile) -> None:
        self._path = profile.socket
        self._open: set[socket.socket] = set()

    @property
    def shown(self) -> tuple[str, ...]:
        return (f"socket {self._path}",)

    async def prepare(self) -> None:
        """Nobody is asked, and the first request connects."""

    def connector(self) -> Connect:
        return self._connect

    def _connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(self._path)
        except OSError as error:
            made.close()
            raise _refused(f"{self._path}: {error.strerror}") from None
        self._open.add(made)
        return made

    @property
    def lost(self) -> int:
        return 0

    def why(self, where: str, error: Exception) -> EngineError:
        return _strange(where, error)

    async def close(self) -> None:
        for made in self._open:
            _shut(made)


class FarWay:
    """A host of the site profile, whose own `docker` program finds the engine there."""

    def __init__(self, profile: EngineProfile, machine: Machine, redactor: Redactor) -> None:
        self._profile = profile
        self._machine = machine
        self._redactor = redactor
        self._carriers: list[tuple[Carrier, asyncio.Task[None], socket.socket]] = []
        self._prepared: list[socket.socket] = []

    @property
    def shown(self) -> tuple[str, ...]:
        return (*self._machine.shown, " ".join(self._command))

    @property
    def _command(self) -> tuple[str, ...]:
        engine = ("-H", self._profile.url) if self._profile.url else ()
        return ("env", "docker", *engine, "system", "dial-stdio")

    async def prepare(self) -> None:
        self._prepared.append(await self._open())

    def connector(self) -> Connect:
        loop = asyncio.get_running_loop()
        opened = asyncio.run_coroutine_threadsafe
        return lambda: self._prepared.pop() if self._prepared else opened(self._open(), loop).result(OPEN_DEADLINE)

    async def _open(self) -> socket.socket:
        channel = await self._machine.duplex(self._command, sudo=self._profile.sudo)
        ours, theirs = socket.socketpair()
        carrier = Carrier(channel)
        task = asyncio.create_task(carrier.carry(ours), name="engine line")
        self._carriers.append((carrier, task, theirs))
        return theirs

    @property
    def lost(self) -> int:
        return sum(carrier.ended is not None and carrier.ended.lost for carrier, _, _ in self._carriers)

    def why(self, where: str, error: Exception) -> EngineError:
        ends = [carrier.ended for carrier, _, _ in self._carriers if carrier.ended]
        bad = [end for end in ends if end.lost or end.signal or end.exit_code]
        return self._of_end(where, bad[-1]) if bad else _strange(where, error)

    def _of_end(self, where: str, end: FarEnd) -> EngineError:
        words = clean_line(self._redactor(end.words)[-_KEPT:])
        if end.lost:
            return EngineLineLost("the line broke during a request", where=where, remedy="Look there before you go on.")
        if end.exit_code == 127:
            return DockerMissing(
                f"there is no `docker` program there ({words})", where=where, remedy="Install Docker's command line."
            )
        if end.exit_code:
            error = _refused(words)
            error.where = where
            return error
        return EngineUnreachable(f"`docker system dial-stdio` {end.how}: {words}", where=where, remedy=_LOOK)

    async def close(self) -> None:
        for carrier, task, theirs in self._carriers:
            _shut(theirs)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await carrier.close()
        self._carriers.clear()


_LOOK: Final = "Look whether the engine runs: `systemctl status docker`."


def _refused(words: str) -> EngineError:
    """The error for a socket that could not be connected to, from the system's words."""
    said = words.lower()
    if "permission denied" in said:
        return EngineRefused(
            f"the account may not use the engine's socket ({words})",
            remedy="Add the account to the group `docker` there, which makes it root; or set `sudo: true`.",
        )
    what = "nothing is there" if "no such file" in said else "nothing answers"
    return EngineUnreachable(f"{what} at the engine's socket ({words})", remedy=_LOOK)


def _strange(where: str, error: Exception) -> EngineError:
    said = clean_line(str(error), 200)
    return EngineError(f"what answers is no engine, or it broke off: {said}", where=where, remedy=_LOOK)


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits on it, also in another thread."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
