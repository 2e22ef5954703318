"""A step's side of the SSH lab: the site's hosts by one transport, and a person who has passwords."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from checks.hosts.channel import Connection
from checks.hosts.hosts import Hosts
from checks.hosts.machine import Machine
from runbook.operator import SecretRequest
from runbook.secrets import Secret
from tests.fake_context import ScriptedPins
from tests.ssh_lab.client import Client
from tests.ssh_lab.namespaces import children, command_line
from tests.stand_in import StandIn

Transport = Literal["paramiko", "openssh", "auto"]
TRANSPORTS: tuple[Transport, ...] = ("paramiko", "openssh")


class Typist(ScriptedPins):
    """Types passwords; something may happen when a person is asked."""

    def __init__(self, *passwords: str) -> None:
        super().__init__()
        self.secrets = list(passwords)
        self.asked: list[SecretRequest] = []
        self.when_asked: Callable[[], object] = lambda: None

    async def secret(self, request: SecretRequest) -> Secret:
        self.asked.append(request)
        self.when_asked()
        return await super().secret(request)


@dataclass
class Reaching:
    """Hosts of the lab as one client sees them."""

    context: StandIn
    person: Typist
    hosts: Hosts

    async def connection(self, name: str) -> Connection:
        return await self.hosts.connection(name, self.context.operator)

    async def machine(self, name: str) -> Machine:
        return await self.hosts.machine(name, self.context)


@contextlib.asynccontextmanager
async def reaching(
    client: Client, folder: Path, transport: Transport, *passwords: str, **profile: object
) -> AsyncIterator[Reaching]:
    """`passwords` are typed one after the other; `profile` are fields of every HostProfile.

    Afterwards nothing may be left running here.
    """
    before = children(os.getpid())
    site = client.site(**client.profiles(transport=transport, **profile))
    person = Typist(*passwords)
    context = StandIn(folder, person, site=site)
    hosts = await context.use(Hosts)
    try:
        yield Reaching(context, person, hosts)
    finally:
        await hosts.close()
    deadline = time.monotonic() + 20
    while left := _others(before):
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.02)


def _others(before: Iterable[int]) -> list[str]:
    """Our child processes that were not there before, without the lab's own."""
    lines = [" ".join(command_line(pid)) for pid in set(children(os.getpid())) - set(before)]
    return [line for line in lines if not line.startswith("nsenter")]
