"""The machines of a site, as steps share them: one connection a host, opened when it is first used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from checks.hosts.channel import Connection
from checks.hosts.errors import UnknownHost
from checks.hosts.machine import Machine
from checks.hosts.sudo import SudoPasswords
from runbook.context import Context, Resource
from runbook.operator import Operator
from runbook.record.events import HostReached
from runbook.secrets import Redactor
from runbook.site import LOCAL, HostProfile, Site

if TYPE_CHECKING:
    from checks.hosts.connecting import Connector
    from checks.hosts.identity import Identity
    from checks.hosts.inventory import Inventory


@dataclass(slots=True)
class _Reached:
    """A host's one connection."""

    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: Connection | None = None


class Hosts(Resource):
    """Every host of the site profile, by name."""

    def __init__(self, site: Site, redactor: Redactor) -> None:
        self._site = site
        self._redactor = redactor
        self._reached: dict[str, _Reached] = {}
        self._connector: Connector | None = None
        self._sudo_passwords = SudoPasswords()
        self._inventory: Inventory | None = None
        self._reading = asyncio.Lock()

    @classmethod
    async def open(cls, site: Site, redactor: Redactor) -> Self:
        return cls(site, redactor)

    def profile(self, name: str) -> HostProfile:
        """Raises UnknownHost."""
        if name not in self._site.hosts:
            if self._inventory is not None and self._inventory.members(name) == (name,):
                return self._inventory.profile(name)
            raise UnknownHost(
                f"the site profile has no host `{name}`",
                remedy=f"It has {', '.join(sorted(self._site.hosts)) or 'none'}; add it under `hosts`.",
            )
        return self._site.hosts[name]

    async def members(self, name: str) -> tuple[str, ...]:
        """The hosts that a name stands for, each once: a host itself, or those of a group. Raises UnknownHost."""
        found: dict[str, None] = {}
        await self._add(name, found, ())
        return tuple(found)

    async def _add(self, name: str, found: dict[str, None], within: tuple[str, ...]) -> None:
        if name in within:
            raise UnknownHost(
                f"the group `{name}` is a member of itself ({' → '.join((*within, name))})",
                remedy="Correct `groups` in the site profile.",
            )
        if name in ("", LOCAL):
            found[LOCAL] = None
        elif name in self._site.groups:
            for member in self._site.groups[name]:
                await self._add(member, found, (*within, name))
        else:
            await self._read_inventory(name)
            listed = self._inventory.members(name) if self._inventory and name not in self._site.hosts else None
            if listed is None:
                self.profile(name)
            found.update(dict.fromkeys(listed or (name,)))

    async def _read_inventory(self, name: str) -> None:
        """When the site profile itself does not have the host, and once a run: it does not change under its steps."""
        async with self._reading:
            if self._inventory is None and self._site.inventory and name not in self._site.hosts:
                from checks.hosts.inventory import read

                self._inventory = await read(self._site.inventory)

    async def connection(self, name: str, operator: Operator, *, broken: Connection | None = None) -> Connection:
        """The host's connection, made if there is none or the last one is lost; `broken` is, and may not know it yet.

        Steps call it when they begin and keep what they get: once a command was run nothing is reconnected. Raises the
        errors of `checks.hosts.errors`, and PromptCancelled.
        """
        await self._read_inventory(name)
        profile = self.profile(name)
        reached = self._reached.setdefault(name, _Reached())
        async with reached.opening:
            if reached.connection is None or reached.connection is broken or not reached.connection.alive:
                if lost := reached.connection:
                    reached.connection = None
                    await lost.close()
                connection = reached.connection = await self._connect().connect(name, profile, operator)
                if self.record is not None:
                    await self.record(HostReached(name, tuple(self._redactor(line) for line in connection.shown)))
            return reached.connection

    async def login(self, name: str, user: str, only: Identity, operator: Operator) -> Connection:
        """A new connection as that account, with that key and certificate and nothing else; the caller closes it.

        Nothing is kept of it: it proves that the host lets it in. Raises as `connection`.
        """
        await self._read_inventory(name)
        profile = self.profile(name).model_copy(update={"user": user})
        return await self._connect().connect(name, profile, operator, only=only)

    def _connect(self) -> Connector:
        if self._connector is None:
            from checks.hosts.connecting import Connector

            config = Path(self._site.ssh_config) if self._site.ssh_config else None
            self._connector = Connector(config, self._redactor)
        return self._connector

    async def machine(self, name: str, ctx: Context) -> Machine:
        """The machine as the step of `ctx` sees it; this machine for an empty name and `local`."""
        from checks.hosts.far import FarMachine
        from checks.hosts.local import LocalMachine

        if name in ("", LOCAL):
            return LocalMachine(self._site.hosts.get(LOCAL, HostProfile()), ctx, self._sudo_passwords)
        connection = await self.connection(name, ctx.operator)
        renew = partial(self.connection, name, ctx.operator)
        return FarMachine(name, connection, self.profile(name), ctx, self._sudo_passwords, renew=renew)

    async def end_stage(self) -> None:
        """Forget what was typed; connections stay."""
        self._sudo_passwords.wipe()
        if self._connector:
            self._connector.passphrases.forget()

    async def close(self) -> None:
        self._sudo_passwords.wipe()
        connections = [reached.connection for reached in self._reached.values() if reached.connection]
        self._reached.clear()
        await asyncio.gather(*(connection.close() for connection in connections), return_exceptions=True)
        if self._connector:
            await self._connector.close()
            self._connector = None
