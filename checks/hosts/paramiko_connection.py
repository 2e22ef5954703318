"""A connection by paramiko: through jump hosts, the host's key judged before anything is said of who we are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

import paramiko

from checks.hosts.errors import ChannelRefused, HostError, LineLost, Unreachable
from checks.hosts.host_keys import SeenKey, judge, names, where
from checks.hosts.known_hosts import Entry as KnownHost
from checks.hosts.known_hosts import Marker, about, fingerprint
from checks.hosts.letting_in import Entry
from checks.hosts.paramiko_auth import Exchange
from checks.hosts.paramiko_channel import ParamikoChannel
from checks.hosts.paramiko_transport import LoopEvent, SshTransport
from checks.hosts.passphrases import Passphrases
from checks.hosts.patience import Prompts
from checks.hosts.ssh_config import SshSettings
from checks.hosts.threads import Threads
from runbook.text import clean_line

HOST_KEY_TYPES = tuple(paramiko.Transport._preferred_keys)
"""What paramiko verifies, in its order."""

KEEP_ALIVE = 5.0
"""Seconds of silence after which the host is asked for a sign of life."""
MISSED = 3
"""So many times asked in vain, and the line counts as lost: after 20 seconds."""
OPENING = 30.0
"""Seconds that the host has to start a command."""
CLOSING = 3.0
_COUNTED_ON = 1.0


@dataclass(frozen=True, slots=True)
class Means:
    """What every connection is made with."""

    threads: Threads
    passphrases: Passphrases
    prompts: Prompts
    known: Sequence[KnownHost]


class ParamikoConnection:
    """A `Connection`; made by `connect`."""

    def __init__(
        self, transport: SshTransport, settings: SshSettings, shown: tuple[str, ...], threads: Threads
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._shown = shown
        self._threads = threads
        self._channels: set[ParamikoChannel] = set()
        self._watch = asyncio.create_task(self._keep_alive())

    @property
    def shown(self) -> tuple[str, ...]:
        return self._shown

    @property
    def alive(self) -> bool:
        return bool(self._transport.active)

    async def open(self, command: str) -> ParamikoChannel:
        while True:
            try:
                return await self._open_one(command)
            except ChannelRefused:
                # sshd counts a command a moment longer than it tells its end.
                if time.monotonic() - self._transport.last_finished > _COUNTED_ON:
                    raise
                await asyncio.sleep(_COUNTED_ON / 10)

    async def _open_one(self, command: str) -> ParamikoChannel:
        opening = asyncio.ensure_future(self._threads.run(self._open, command))
        try:
            async with asyncio.timeout(OPENING):
                channel = await asyncio.shield(opening)
        except BaseException as error:
            opening.add_done_callback(self._let_go)
            if isinstance(error, TimeoutError):
                raise self._lost(f"the host did not start a command within {OPENING:.0f} s") from None
            if isinstance(error, paramiko.SSHException | EOFError | OSError):
                raise self._not_opened(error) from error
            raise
        return ParamikoChannel(channel, self._transport, self._threads, where(self._settings))

    def _open(self, command: str) -> paramiko.Channel:
        channel = self._transport.open_session(timeout=OPENING)
        try:
            channel.exec_command(command)
        except BaseException:
            channel.close()
            raise
        return channel

    def _let_go(self, opening: asyncio.Future[paramiko.Channel]) -> None:
        """A command that started after nobody waited for it any more."""
        if not opening.cancelled() and opening.exception() is None:
            self._threads.start(opening.result().close)

    def _not_opened(self, error: Exception) -> HostError:
        # A socket that refuses what is sent comes before paramiko's own thread sees the end.
        if not self.alive or isinstance(error, EOFError | OSError):
            return self._lost("the connection broke before the command was started")
        why = clean_line(str(error))
        return ChannelRefused(
            f"the host does not run a (further) command: {why}",
            where=where(self._settings),
            remedy="Its sshd limits the commands at a time (MaxSessions) or what this account may run (ForceCommand).",
        )

    def _lost(self, what: str) -> LineLost:
        return LineLost(what, where=where(self._settings), remedy="See to the line, then try again.")

    async def forward(self, host: str, port: int) -> paramiko.Channel:
        """A connection from there to another host (RFC 4254 §7.2). Raises paramiko's errors."""
        return await self._threads.run(
            self._transport.open_channel, "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=OPENING
        )

    async def _keep_alive(self) -> None:
        """Ask for a sign of life when it is quiet; break off when none comes."""
        request = paramiko.Message()
        request.add_byte(paramiko.common.cMSG_GLOBAL_REQUEST)
        request.add_string("keepalive@openssh.com")
        request.add_boolean(True)
        asked: float | None = None
        in_vain = 0
        while self._transport.active:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE):
                    await self._transport.ended.wait()
            # Counted and not timed: this program may have been stopped, or the machine asleep.
            in_vain = in_vain + 1 if asked is not None and self._transport.heard < asked else 0
            if in_vain >= MISSED:
                self._transport.break_off(self._threads)
            elif time.monotonic() - self._transport.heard < KEEP_ALIVE * 0.9:
                asked = None
            else:
                asked = time.monotonic()
                self._threads.start(self._transport._send_user_message, request)

    async def close(self) -> None:
        self._watch.cancel()
        await end(self._transport, self._threads)


async def end(transport: SshTransport, threads: Threads) -> None:
    """End a connection within a bound; does not raise."""
    transport.break_off(threads)
    if transport.is_alive():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await transport.ended.wait()


async def connect(settings: SshSettings, means: Means, jump: ParamikoConnection | None) -> ParamikoConnection:
    """Reach the host, judge its key, and only then be let in. The caller bounds it.

    Raises Unreachable, the errors of host keys, NotLetIn and PromptCancelled.
    """
    transport: SshTransport | None = None
    try:
        async with asyncio.timeout(settings.connect_timeout):
            sock = await (_through(jump, settings) if jump else _directly(settings))
            transport = SshTransport(sock, _host_key_types(settings, means.known))
            seen, entry = await _agree(transport, settings, means.known)
        exchange = Exchange(transport, means.threads, settings.user)
        let_in_by = await Entry(exchange, transport, settings, means.prompts).enter(means.passphrases)
    except BaseException:
        if transport is not None:
            await asyncio.shield(end(transport, means.threads))
        raise
    shown = (
        f"{settings.user}@{settings.address}",
        *(f"through {line}" for line in (jump.shown[:1] if jump else ())),
        f"transport: paramiko ({transport.remote_version.removeprefix('SSH-2.0-')})",
        f"host key: {seen}, on file in {entry.place}",
        f"let in by: {let_in_by}",
    )
    return ParamikoConnection(transport, settings, tuple(clean_line(line, 400) for line in shown), means.threads)


async def _agree(
    transport: SshTransport, settings: SshSettings, known: Sequence[KnownHost]
) -> tuple[SeenKey, KnownHost]:
    """Agree on session keys, by which the host proves that it has its key, and judge that key."""
    agreed = LoopEvent()
    transport.start_client(event=agreed)
    await agreed.seen()
    if not transport.active or transport.host_key is None:
        error = transport.get_exception()
        raise Unreachable(
            f"no agreement on a connection: {clean_line(str(error)) or 'the host ended it'}",
            where=where(settings),
            remedy="See that an SSH server answers on that port. With old or unusual algorithms, "
            "`transport: openssh` in the site profile takes the system's ssh.",
        )
    blob = transport.host_key.asbytes()
    seen = SeenKey(transport.host_key.get_name(), fingerprint(blob))
    return seen, judge(known, settings, seen)


def _host_key_types(settings: SshSettings, known: Sequence[KnownHost]) -> list[str]:
    """The types on file first: a host that has keys of several types is to show the one that is known."""
    on_file: set[str] = set()
    for name in names(settings):
        on_file = on_file or {entry.key_type for entry in about(known, name) if entry.marker is Marker.KEY}
    on_file |= {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in on_file else set()
    return sorted(HOST_KEY_TYPES, key=lambda name: name not in on_file)


async def _directly(settings: SshSettings) -> socket.socket:
    """A TCP connection to the first address that answers."""
    loop = asyncio.get_running_loop()
    families = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
    family = families.get(settings.value("addressfamily"), socket.AF_UNSPEC)
    problem = "it has no address"
    try:
        found = await loop.getaddrinfo(settings.hostname, settings.port, family=family, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _unreachable(settings, f"its name is not known ({error.strerror or error})") from error
    for family_, kind, protocol, _, address in found:
        sock = socket.socket(family_, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            problem = os.strerror(error.errno) if error.errno else str(error)
            continue
        except BaseException:
            sock.close()
            raise
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return sock
    raise _unreachable(settings, problem)


async def _through(jump: ParamikoConnection, settings: SshSettings) -> paramiko.Channel:
    try:
        return await jump.forward(settings.hostname, settings.port)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _unreachable(settings, f"from the jump host {jump.shown[0]}: {clean_line(str(error))}") from error


def _unreachable(settings: SshSettings, why: str) -> Unreachable:
    return Unreachable(
        f"no connection to {settings.address}: {why}",
        where=where(settings),
        remedy=f"Try `ssh {settings.alias}` on a terminal; see to the name, the network and the port.",
    )
