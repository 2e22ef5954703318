"""From a host's name to a connection: its settings, its jump hosts, its transport, the shared jump connections."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass, field
from pathlib import Path

from checks.hosts import known_hosts
from checks.hosts.channel import Connection
from checks.hosts.errors import Unreachable
from checks.hosts.host_keys import names, where
from checks.hosts.identity import Identity, as_configuration
from checks.hosts.known_hosts import Entry
from checks.hosts.passphrases import Passphrases
from checks.hosts.patience import Patience, Prompts
from checks.hosts.ssh_config import Hop, SshSettings, jumps, resolve
from checks.hosts.threads import Threads
from checks.hosts.transports import certified, lacks
from runbook.operator import Operator
from runbook.secrets import Redactor
from runbook.site import HostProfile

MOST_JUMPS = 8
"""Jump hosts on the way to one host; more are a configuration that goes round in circles."""

AT_A_TIME = 16
"""Handshakes at a time: an sshd refuses too many of them (sshd_config(5), MaxStartups)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One host on the way, as `ssh` would reach it from the one before."""

    settings: SshSettings
    known: tuple[Entry, ...]
    """What known_hosts files hold about it."""
    lacks: tuple[str, ...]
    """Settings that paramiko cannot follow."""

    @property
    def why_openssh(self) -> tuple[str, ...]:
        return tuple(f"{self.settings.alias}: {reason}" for reason in (*certified(self.known), *self.lacks))


@dataclass(slots=True)
class _Shared:
    """A jump host's connection, used by all hosts behind it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: Connection | None = None


class Connector:
    """Makes connections; keeps those to jump hosts, which are asked for a code once and not for each host behind."""

    def __init__(self, config: Path | None, redactor: Redactor) -> None:
        self._config = config
        self._redactor = redactor
        self._threads = Threads()
        self._handshakes = asyncio.Semaphore(AT_A_TIME)
        self._jumps: dict[tuple[str, ...], _Shared] = {}
        self.passphrases = Passphrases()

    async def connect(
        self, name: str, profile: HostProfile, operator: Operator, *, only: Identity | None = None
    ) -> Connection:
        """A new connection to the host of that profile; with `only`, that and nothing else is offered to it.

        Jump hosts on the way are shown what the operator's own `ssh` would show them. Raises UnknownHost's siblings in
        `errors` and PromptCancelled; the profile's `connect_seconds` bound each leg, people's time apart.
        """
        way = await self.way(Hop(profile.ssh or name, profile.user, profile.port))
        if only:
            way[-1] = await self._describe(only.instead(way[-1].settings))
        why = _why_openssh(profile, way)
        openssh = bool(why)
        jump: Connection | None = None
        for number, leg in enumerate(way[:-1], 1):
            key = ("openssh" if openssh else "paramiko", *(_place(passed) for passed in way[:number]))
            shared = self._jumps.setdefault(key, _Shared())
            async with shared.lock:
                if shared.connection is None or not shared.connection.alive:
                    if shared.connection is not None:
                        await shared.connection.close()
                    shared.connection = await self._leg(leg, jump, profile, operator, why)
            jump = shared.connection
        return await self._leg(way[-1], jump, profile, operator, why, only=only)

    async def way(self, hop: Hop) -> list[Leg]:
        """The jump hosts and the host itself, nearest first. Raises Unreachable."""
        return [await self._describe(settings) for settings in await self._way(hop, 0)]

    async def _way(self, hop: Hop, depth: int) -> list[SshSettings]:
        settings = await resolve(hop, config=self._config)
        if depth > MOST_JUMPS:
            raise Unreachable(
                f"more than {MOST_JUMPS} jump hosts are on the way",
                where=where(settings),
                remedy="The ProxyJump settings seem to go round in circles: see `ssh -G`.",
            )
        if hop.via is not None:
            return [settings]
        passed: list[SshSettings] = []
        for before in jumps(settings):
            passed += await self._way(before, depth + 1)
        return [*passed, settings]

    async def _describe(self, settings: SshSettings) -> Leg:
        def look() -> Leg:
            known = known_hosts.read_about(settings.known_hosts, names(settings))
            return Leg(settings, tuple(known), lacks(settings))

        return await asyncio.to_thread(look)

    async def _leg(
        self,
        leg: Leg,
        jump: Connection | None,
        profile: HostProfile,
        operator: Operator,
        why_openssh: tuple[str, ...],
        *,
        only: Identity | None = None,
    ) -> Connection:
        seconds = float(profile.connect_seconds)
        patience = Patience(seconds)
        prompts = Prompts(operator, self._redactor, patience)
        try:
            async with self._handshakes, patience.limit():
                if why_openssh:
                    return await self._by_openssh(leg, jump, prompts, why_openssh, only=only)
                return await self._by_paramiko(leg, jump, prompts, only)
        except TimeoutError:
            bound = min(seconds, leg.settings.connect_timeout or seconds)
            raise Unreachable(
                f"no connection to {leg.settings.address} within {bound:.0f} s",
                where=where(leg.settings),
                remedy=f"Try `ssh {leg.settings.alias}` on a terminal; `connect_seconds` in the site profile "
                "and ConnectTimeout in the ssh configuration set the bound.",
            ) from None

    async def _by_paramiko(
        self, leg: Leg, jump: Connection | None, prompts: Prompts, only: Identity | None
    ) -> Connection:
        # It takes a tenth of a second, which nobody is to wait for at the screen.
        await asyncio.to_thread(importlib.import_module, "checks.hosts.paramiko_connection")
        from checks.hosts.paramiko_connection import Means, ParamikoConnection, connect

        means = Means(self._threads, Passphrases() if only else self.passphrases, prompts, leg.known)
        return await connect(leg.settings, means, jump if isinstance(jump, ParamikoConnection) else None)

    async def _by_openssh(
        self, leg: Leg, jump: Connection | None, prompts: Prompts, why: tuple[str, ...], *, only: Identity | None
    ) -> Connection:
        from checks.hosts.openssh_connection import Means, OpensshConnection, connect

        config = self._config
        if only:
            config = only.key.with_name("ssh_config")
            await asyncio.to_thread(config.write_text, as_configuration(leg.settings))
        means = Means(self.passphrases, prompts, leg.known, config, why)
        return await connect(leg.settings, means, jump if isinstance(jump, OpensshConnection) else None)

    async def close(self) -> None:
        """End the jump hosts' connections, last first; what runs through them is to be closed before."""
        for shared in reversed(self._jumps.values()):
            if shared.connection is not None:
                await shared.connection.close()
        self._jumps.clear()
        self.passphrases.forget()
        self._threads.close()


def _why_openssh(profile: HostProfile, way: list[Leg]) -> tuple[str, ...]:
    """Empty: paramiko it is. Raises Unreachable where the profile wants paramiko and it cannot follow the settings."""
    if profile.transport == "openssh":
        return ("the site profile says so",)
    if profile.transport == "auto":
        return tuple(reason for leg in way for reason in leg.why_openssh)
    for leg in way:
        if leg.lacks:
            raise Unreachable(
                f"paramiko, which the site profile asks for, cannot follow {', '.join(leg.lacks)}",
                where=where(leg.settings),
                remedy="Leave `transport` out of the host in the site profile: the system's ssh is then used.",
            )
    return ()


def _place(leg: Leg) -> str:
    return f"{leg.settings.alias} {leg.settings.user}@{leg.settings.address}"
