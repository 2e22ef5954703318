"""Several checks on every host of a group: hosts × checks in one table."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from checks.evidence.hosts_table import HostsTable
from checks.hosts import command, file, port, systemd, usb
from checks.hosts.fleet import HostCheck, OnHosts, where
from checks.hosts.sweep import sweep
from runbook.context import Context
from runbook.fields import Name
from runbook.kind import Check
from runbook.outcome import Outcome

KINDS: Mapping[str, type[HostCheck[Any]]] = {
    kind.name: kind for kind in (command.CommandCheck, file.FileCheck, port.Port, systemd.SystemdCheck, usb.Usb)
}
"""The checks that can be columns."""


class _CommandColumn(command.CommandParams):
    check: Literal["command"] = Field(description="The kind of the column.")


class _FileColumn(file.FileParams):
    check: Literal["file"] = Field(description="The kind of the column.")


class _PortColumn(port.PortParams):
    check: Literal["port"] = Field(description="The kind of the column.")


class _SystemdColumn(systemd.UnitParams):
    check: Literal["systemd"] = Field(description="The kind of the column.")
    expect: systemd.Expect = Field(description="How the units must be.", examples=[{"active": True, "enabled": True}])


class _UsbColumn(usb.UsbParams):
    check: Literal["usb"] = Field(description="The kind of the column.")


Column = Annotated[
    _CommandColumn | _FileColumn | _PortColumn | _SystemdColumn | _UsbColumn, Field(discriminator="check")
]
"""A kind's own keys, and `check` that names it."""


class FleetParams(OnHosts):
    """Where, and what is looked at there."""

    checks: Mapping[Name, Column] = Field(
        min_length=1,
        description="Checks by the name of their column: each `check: KIND` with that kind's own keys.",
        examples=[
            {
                "trust": {"check": "file", "path": "/etc/ssh/trusted_user_ca_keys"},
                "socket": {"check": "systemd", "unit": "pcscd.socket", "expect": {"active": True}},
            }
        ],
    )


class Fleet(Check[FleetParams]):
    """Several checks on every host of a group, one after the other on each; the result is a table, hosts × checks."""

    name = "fleet"
    Params = FleetParams
    evidence = (HostsTable,)
    symptoms: ClassVar[Mapping[str, str]] = dict(ChainMap(*(dict(kind.symptoms) for kind in KINDS.values())))

    def _kinds(self) -> dict[str, HostCheck[Any]]:
        found: dict[str, HostCheck[Any]] = {}
        for name, column in self.params.checks.items():
            kind = KINDS[column.check]
            own = column.model_dump(by_alias=True, exclude={"check"}, exclude_unset=True)
            found[name] = kind(kind.Params.model_validate({**own, "on": self.params.on}))
        return found

    def plan(self) -> tuple[str, ...]:
        lines = [f"{name}: {line}" for name, kind in self._kinds().items() for line in kind.plan()[:-1]]
        return (*lines, f"on {where(self.params.on)}")

    async def run(self, ctx: Context) -> Outcome:
        kinds = self._kinds()
        asked = "\n".join([await kind.asked(ctx) for kind in kinds.values()])
        return await sweep(self.params, {name: kind.on_machine for name, kind in kinds.items()}, ctx, asked=asked)
