"""Hosts of a group without a network: each is a shell of its own on this machine, reached as any other host is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from checks.evidence.hosts_table import HostsTable
from checks.hosts.channel import Connection
from checks.hosts.errors import Unreachable
from checks.hosts.hosts import Hosts
from checks.hosts.local import LocalConnection
from runbook.operator import Operator
from runbook.outcome import Outcome
from runbook.secrets import Redactor
from runbook.site import HostProfile, Site
from tests.stand_in import StandIn


class ShellHosts(Hosts):
    """The shells know which host they are by HOST; hosts in `down` are not reached."""

    down: frozenset[str] = frozenset()
    most = 0
    """Hosts that were worked on at one time, at most."""
    reached: Mapping[str, int]

    def __init__(self, site: Site, redactor: Redactor) -> None:
        super().__init__(site, redactor)
        self.reached = {}

    async def connection(self, name: str, operator: Operator) -> Connection:
        self.profile(name)
        self.reached = {**self.reached, name: self.reached.get(name, 0) + 1}
        if name in self.down:
            raise Unreachable("no connection: Connection refused", where=name, remedy="Look whether it is up.")
        return _Named(name)


class _Named(LocalConnection):
    def __init__(self, name: str) -> None:
        self._name = name

    async def open(self, command: str):  # type: ignore[no-untyped-def]
        return await super().open(f"HOST={self._name}; export HOST; {command}")


def fleet_site(*hosts: str, **more: object) -> Site:
    return Site.model_validate(
        {"site": 1, "name": "test", "hosts": {host: HostProfile() for host in hosts}, "groups": {"all": hosts}, **more}
    )


def fleet(folder: Path, *hosts: str, down: tuple[str, ...] = (), **more: object) -> tuple[StandIn, ShellHosts]:
    """A step's context, and the group `all` of these hosts."""
    site = fleet_site(*hosts, **more)
    context = StandIn(folder, site=site)
    opened = ShellHosts(site, context.redactor)
    opened.down = frozenset(down)
    context.resources[Hosts] = opened
    return context, opened


def table_of(outcome: Outcome) -> HostsTable:
    table = outcome.evidence[0]
    assert isinstance(table, HostsTable)
    return table


async def until_running(mark: str) -> None:
    async with asyncio.timeout(60):
        while not running(mark):  # noqa: ASYNC110 - another process; there is nothing to be told by
            await asyncio.sleep(0.05)


def running(mark: str) -> list[str]:
    """Command lines of processes that contain the mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line and "pytest" not in line:
            found.append(line)
    return found
