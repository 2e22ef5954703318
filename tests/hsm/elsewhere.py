"""Tokens on another host, for tests: the real machinery of hosts over a connection of the test's choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from checks.hosts.channel import Connection
from checks.hosts.far import FarMachine
from checks.hosts.hosts import Hosts
from checks.hosts.local import LocalConnection
from checks.hosts.machine import Machine
from checks.hosts.sudo import SudoPasswords
from checks.hsm.token import Token
from runbook.context import Context
from runbook.secrets import Redactor
from runbook.site import HostProfile, Site, TokenProfile
from tests.fake_context import FakeContext

HOST = "far"

Connect = Callable[[], Connection]


class OneHost(Hosts):
    """The host `far`, reached by what `connect` gives; a connection that is lost is replaced at the next use."""

    def __init__(self, connect: Connect = LocalConnection, sudo: str = "password") -> None:
        self.profile_of_it = HostProfile.model_validate({"sudo": sudo})
        super().__init__(Site(site=1, name="test", hosts={HOST: self.profile_of_it}), Redactor())
        self._connect_to_it = connect
        self._passwords = SudoPasswords()
        self.last: Connection | None = None
        self.asked = 0

    async def machine(self, name: str, ctx: Context) -> Machine:
        assert name == HOST
        self.asked += 1
        if self.last is None or not self.last.alive:
            self.last = self._connect_to_it()
        return FarMachine(name, self.last, self.profile_of_it, ctx, self._passwords)


def moved(profile: TokenProfile, **changes: object) -> TokenProfile:
    """The same token, on the host `far`."""
    return profile.model_copy(update={"via": HOST, **changes})


def on_host(context: FakeContext, hosts: Hosts) -> FakeContext:
    """The context with that way to its hosts."""
    context.resources[Hosts] = hosts
    return context


@asynccontextmanager
async def far_token(
    profile: TokenProfile, context: Context, hosts: Hosts, *, deadline: float = 10.0, loading: float = 10.0
) -> AsyncIterator[Token]:
    """A token as steps get it, on the host `far`."""
    token = Token("intermediate", moved(profile), context.redactor, deadline=deadline, loading=loading)
    token.reached(lambda: hosts.machine(HOST, context))
    try:
        yield token
    finally:
        await token.close()
