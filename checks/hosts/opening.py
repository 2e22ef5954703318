"""From a connection to a shell of ours on a channel: what comes before its mark is not the command's output."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from checks.hosts.channel import Channel, Connection, Ended
from checks.hosts.errors import BrokenBefore, ChannelRefused, FarSideLacks, HostError, LineLost, Unreachable
from checks.hosts.sudo import Sudo
from checks.hosts.supervision import Nonces, command_line
from runbook.children import unbroken
from runbook.text import clean_line

OPENING = 30.0
"""Seconds that the far side may take until our shell speaks, without the time people need."""

_ENDING = 5.0
_PREAMBLE = 256 * 1024
"""Bytes kept of what comes before the mark: banners, what start-up files print, sudo's lecture."""

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel on which our shell has got its script."""

    channel: Channel
    stdout: bytes
    """What came after the mark already; as a rule nothing."""
    stderr: bytes


@dataclass(slots=True)
class _Preamble:
    """What one stream said until the mark."""

    mark: bytes
    seen: bytearray = field(default_factory=bytearray)
    rest: bytes | None = None
    """What came after the mark; None: it has not come."""

    def add(self, chunk: bytes) -> bool:
        """Whether the mark is there."""
        self.seen += chunk
        at = self.seen.find(self.mark)
        if at < 0:
            del self.seen[:-_PREAMBLE]  # the newest tells why something was refused
            return False
        self.rest = bytes(self.seen[at + len(self.mark) :])
        return True


async def open_shell(
    connection: Connection, nonces: Nonces, script: bytes, *, where: str, sudo: Sudo | None = None
) -> Opened:
    """A channel whose far end reads `script`, as root with `sudo`.

    Raises BrokenBefore for a line that had broken before, Unreachable for one that breaks before the script is said and
    LineLost afterwards, ChannelRefused, FarSideLacks and the errors of sudo.
    """
    try:
        channel = await connection.open(command_line(nonces, len(script), sudo=sudo.options if sudo else ""))
    except LineLost as lost:
        # Our shell may have been started, but without a word of the script it does nothing.
        raise BrokenBefore(lost.what, where=lost.where, remedy=lost.remedy) from None
    async with closed_on_error(channel):
        try:
            opened = await _until_mark(channel, nonces, where, sudo)
        except LineLost:
            # Nothing is in doubt: what was to be run had not been said yet.
            said = "the connection broke before the command was sent, so nothing was run"
            raise Unreachable(said, where=where, remedy="Try the step again.") from None
        await channel.write(script)
    return opened


@contextlib.asynccontextmanager
async def closed_on_error(channel: Channel) -> AsyncIterator[None]:
    """Whatever goes wrong within, a cancellation too, is raised once the channel is closed."""
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(lambda: unbroken(channel.close()))
        yield
        closing.pop_all()


async def _until_mark(channel: Channel, nonces: Nonces, where: str, sudo: Sudo | None) -> Opened:
    mark = f"{nonces.mark}\n".encode()
    out, err = _Preamble(mark), _Preamble(mark)
    clock = asyncio.timeout(OPENING)

    async def read(stream: asyncio.StreamReader, preamble: _Preamble) -> None:
        while chunk := await stream.read(CHUNK):
            if preamble.add(chunk):
                return
            if sudo is not None and preamble is err:
                await sudo.said(bytes(err.seen), nonces.prompt.encode(), channel, clock)

    try:
        async with clock, asyncio.TaskGroup() as group:
            group.create_task(read(channel.stdout, out))
            group.create_task(read(channel.stderr, err))
    except TimeoutError:
        raise sudo.silent(bytes(err.seen)) if sudo else _silent(where) from None
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    if out.rest is not None and err.rest is not None:
        return Opened(channel, out.rest, err.rest)
    ended = await how_it_ended(channel, where)
    # sudo says why; what ends without a word on its standard error was not sudo, but the account's own shell.
    if sudo is not None and err.seen.strip():
        raise sudo.ended(bytes(err.seen), ended)
    raise _no_mark(bytes(err.seen or out.seen), ended, where)


async def how_it_ended(channel: Channel, where: str) -> Ended:
    """Raises LineLost where that is not told."""
    try:
        async with asyncio.timeout(_ENDING):
            return await channel.wait()
    except TimeoutError:
        raise LineLost("the far side ended its output and nothing more was heard of it", where=where) from None


def _silent(where: str) -> HostError:
    return ChannelRefused(
        f"the account's shell did not run our command within {OPENING:.0f} seconds",
        where=where,
        remedy="Look at what its start-up files do when there is no terminal.",
    )


def _no_mark(said: bytes, ended: Ended, where: str) -> HostError:
    lines = said.decode("utf-8", errors="replace").strip().splitlines()
    told = f": {clean_line(lines[-1], 300)}" if lines else ""
    if ended.exit_code == 127:
        return FarSideLacks(f"there is no POSIX shell there{told}", where=where, remedy="Install one as /bin/sh.")
    return ChannelRefused(
        f"the account does not run our command{told}",
        where=where,
        remedy="Is a command forced for the key or the account, or is its shell one that refuses?",
    )
