"""A step's context as each host of a group gets it: a deadline of its own, and prompts that are not asked per host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from checks.hosts.errors import SudoRefused
from checks.hosts.sudo import SudoPassword
from runbook.context import Context, Resource
from runbook.errors import PromptCancelled
from runbook.event import Event
from runbook.operator import Operator, SecretRequest
from runbook.outcome import Evidence, Outcome
from runbook.run.deadline import Deadline
from runbook.secrets import Redactor, Secret
from runbook.site import LOCAL, Site
from runbook.touched import Touched

R = TypeVar("R", bound=Resource)
T = TypeVar("T")

WRONG_PASSWORD = "wrong sudo password"  # noqa: S105 - a symptom


class GroupPrompts:
    """The prompts of all the hosts of one step: one at a time, and the sudo password once.

    The first host to need the password tries it alone. Only what sudo accepted there goes to the others, so that a
    mistyped password is one failed attempt and not one on every host.
    """

    def __init__(self, operator: Operator, group: str, hosts: int) -> None:
        self._operator = operator
        self._group = group
        self._hosts = hosts
        self._turn = asyncio.Lock()
        self._password: Secret | None = None
        self._tried_on = ""
        self._tried = asyncio.Event()
        self._refused = ""
        """Why no other host is given a password."""

    def for_host(self, host: str, deadline: Deadline) -> _HostOperator:
        return _HostOperator(self, host, deadline)

    def close(self) -> None:
        """Forget the password."""
        if self._password is not None:
            self._password.wipe()
            self._password = None

    def ended(self, host: str, symptom: str) -> None:
        """A host's checks have ended; with the one that tried the password it is known whether it is right."""
        if host == self._tried_on and not self._tried.is_set():
            if symptom == WRONG_PASSWORD:
                self._refused = f"not tried: the password was wrong on {host}"
            self._tried.set()

    async def ask(self, call: Callable[[Operator], Awaitable[T]]) -> T:
        """Any other prompt: those of several hosts one after the other."""
        async with self._turn:
            return await call(self._operator)

    async def sudo(self, host: str, request: SudoPassword) -> Secret:
        """The group's password, as a copy that the host may wipe."""
        if not request.kept:
            raise SudoRefused(
                "sudo asks for a password there, and the site profile has it asked for each time",
                where=host,
                remedy=f"On a group it can only be asked for once: give its hosts `keep_sudo_password: true`, "
                f"or run the step on {host} alone.",
            )
        if not self._tried_on:
            self._tried_on = host
            await self._ask_password(request)
        elif host != self._tried_on:
            await self._tried.wait()
        if self._refused or self._password is None:
            raise PromptCancelled(self._refused or "there is no sudo password for the group")
        copy = Secret(self._password.reveal())
        self._password.rest()
        return copy

    async def _ask_password(self, request: SudoPassword) -> None:
        others = self._hosts - 1
        wide = SecretRequest(
            f"sudo password for {self._group}",
            f"For {self._hosts} hosts: it is tried on {request.host} first, and goes to the other {others} only if "
            "sudo accepts it there.",
        )
        try:
            self._password = await self.ask(lambda operator: operator.secret(wide))
        except PromptCancelled as left:
            self._refused = left.what
            raise
        finally:
            if self._password is None:
                self._refused = self._refused or "nobody gave the sudo password"
                self._tried.set()


class _HostOperator:
    """The operator as one host's checks see it: people's time is not the host's."""

    def __init__(self, prompts: GroupPrompts, host: str, deadline: Deadline) -> None:
        self._prompts = prompts
        self._host = host
        self._deadline = deadline

    async def secret(self, request: SecretRequest) -> Secret:
        with self._deadline.paused():
            if isinstance(request, SudoPassword):
                return await self._prompts.sudo(self._host, request)
            return await self._prompts.ask(lambda operator: operator.secret(request))

    def __getattr__(self, name: str) -> Callable[[Any], Awaitable[Any]]:
        async def ask(request: Any) -> Any:
            with self._deadline.paused():
                return await self._prompts.ask(lambda operator: getattr(operator, name)(request))

        return ask


class HostContext:
    """`runbook.context.Context` for one host of a group."""

    def __init__(self, ctx: Context, host: str, prompts: GroupPrompts, deadline: Deadline) -> None:
        self._ctx = ctx
        self.host = host
        self._deadline = deadline
        self._operator: Any = prompts.for_host(host, deadline)

    @property
    def run_id(self) -> str:
        return self._ctx.run_id

    @property
    def step_id(self) -> str:
        return self._ctx.step_id

    @property
    def runbook_title(self) -> str:
        return self._ctx.runbook_title

    @property
    def folder(self) -> Path:
        return self._ctx.folder

    @property
    def site(self) -> Site:
        return self._ctx.site

    @property
    def operator(self) -> Operator:
        operator: Operator = self._operator
        return operator

    @property
    def seconds_left(self) -> float:
        return min(self._deadline.left, self._ctx.seconds_left)

    @property
    def redactor(self) -> Redactor:
        return self._ctx.redactor

    @property
    def last(self) -> Outcome | None:
        return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The host's time; raises TimeoutError when it is used up."""
        async with self._deadline.running():
            yield

    @property
    def touched(self) -> tuple[Touched, ...]:
        return self._ctx.touched

    async def touch(self, what: str, name: str, *, on: str = LOCAL, how: str = "changed") -> None:
        await self._ctx.touch(what, name, on=on, how=how)

    async def record(self, event: Event) -> None:
        await self._ctx.record(event)

    async def attach(self, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        return await self._ctx.attach(f"{self.host}: {name}", content)

    def progress(self, line: str) -> None:
        """What a host says is left out of the live output: that of many at once says nothing to anybody."""

    def show(self, evidence: Evidence) -> None:
        """The group's table is what is shown."""

    async def use(self, resource: type[R]) -> R:
        return await self._ctx.use(resource)

    async def ask_input(self, name: str) -> str:
        return await self._ctx.ask_input(name)
