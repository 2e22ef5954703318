"""Kinds of steps that run on hosts: an action on one, a check on one or on all of a group."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, Field

from checks.evidence.hosts_table import HostsTable
from checks.hosts.errors import SYMPTOMS, UnknownHost
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import OneOrMore
from runbook.kind import Action, Check, Params, Ref
from runbook.outcome import Evidence, Outcome
from runbook.site import LOCAL, HostName

FLEET_SYMPTOMS: Mapping[str, str] = {
    **SYMPTOMS,
    "several hosts": "Hosts of the group are not green, for different reasons.",
    "deadline": "It did not end in time; it was ended.",
}
"""What a check on a group can report besides the symptoms of the check itself: one that all hosts share is told."""


def _threshold(value: int | str) -> int | str:
    if isinstance(value, str):
        number = value.removesuffix("%").strip()
        if value == number or not number.isdecimal() or not 1 <= int(number) <= 100:
            raise ValueError("write a number of hosts, or a share such as `95%`")
    elif value < 1:
        raise ValueError("at least one host must be green")
    return value


HostOrGroup = Annotated[HostName, Ref("host")]
"""The name of a host or a group that the site profile or its inventory knows."""

Threshold = Annotated[int | str, AfterValidator(_threshold)]
"""A number of hosts, or a share of them as `95%` (rounded up)."""


class OnHost(Params):
    """Where an action runs."""

    on: HostOrGroup = Field(LOCAL, description="The host to run on; `local` is this machine.", examples=["ca"])


class OnHosts(Params):
    """Where a check runs."""

    on: Annotated[tuple[HostOrGroup, ...], OneOrMore] = Field(
        (LOCAL,),
        min_length=1,
        description="A host, a group, or a list of them; `local` is this machine.",
        examples=["ca", ["input-a", "input-b"]],
    )
    parallel: int = Field(10, ge=1, le=200, description="On a group: how many hosts at a time.", examples=[10])
    at_least: Threshold = Field(
        "100%",
        description="On a group: how many hosts must be green, as a number or a share. With fewer the step fails; "
        "where only some are missing, it warns and lists them.",
        examples=[3, "80%"],
    )
    host_deadline: float = Field(
        0, ge=0, le=86_400, description="On a group: seconds for each host; 0: what the step has left.", examples=[30]
    )


HostP = TypeVar("HostP", bound=OnHost)
HostsP = TypeVar("HostsP", bound=OnHosts)


class HostAction(Action[HostP]):
    """An action on one host."""

    symptoms: ClassVar[Mapping[str, str]] = SYMPTOMS

    @abstractmethod
    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        """Do it there. Raises StepError where no verdict can be reached."""

    async def run(self, ctx: Context) -> Outcome:
        from checks.hosts.hosts import Hosts

        hosts = await ctx.use(Hosts)
        members = await hosts.members(self.params.on)
        if members != (self.params.on,):
            raise UnknownHost(
                f"`{self.params.on}` is a group, and an action runs on one host",
                remedy="Name the host; for many at once there is the action `ansible`.",
            )
        return await self.on_machine(await hosts.machine(self.params.on, ctx), ctx)


class HostCheck(Check[HostsP]):
    """A check on one host, or on every host of a group."""

    evidence: ClassVar[tuple[type[Evidence], ...]] = (HostsTable,)
    symptoms: ClassVar[Mapping[str, str]] = FLEET_SYMPTOMS

    @abstractmethod
    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        """Look there and judge; on a group it is called for each host, several at a time.

        `ctx` is the host's own: its deadline, its prompts (those for the whole group are asked once), its name on
        attachments. Raises StepError where no verdict can be reached.
        """

    async def asked(self, ctx: Context) -> str:  # noqa: ARG002 - a kind may ask more than its keys say
        """All that is asked of every host: a green answer is kept for another attempt only while this stays."""
        return self.params.model_dump_json(exclude=set(OnHosts.model_fields))

    async def run(self, ctx: Context) -> Outcome:
        from checks.hosts.sweep import sweep

        return await sweep(self.params, {self.name: self.on_machine}, ctx, asked=await self.asked(ctx))


def where(on: tuple[str, ...]) -> str:
    """What `on` says, for people and for `plan`."""
    return "this machine" if on == (LOCAL,) else ", ".join(on)


def threshold(at_least: int | str, hosts: int) -> int:
    """How many of `hosts` must be green. Raises StepError where there are not as many."""
    if isinstance(at_least, str):
        return -(-int(at_least.removesuffix("%")) * hosts // 100)
    if at_least > hosts:
        raise StepError(
            f"at least {at_least} hosts are to be green, and there are only {hosts}", symptom="unknown host"
        )
    return at_least
