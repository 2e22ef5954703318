"""Several checks on every host of a group: hosts × checks in one table."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from checks.evidence.hosts_table import HostsTable
from checks.hosts import command, file, port, systemd, usb
from checks.hosts.fleet import HostCheck, OnHosts, where
from checks.hosts.sweep import sweep
from runbook.context import Context
from runbook.kind import Check
from runbook.model import Name
from runbook.outcome import Outcome

KINDS: Mapping[str, type[HostCheck[Any]]] = {
    kind.name: kind for kind in (command.CommandCheck, file.FileCheck, port.Port, systemd.SystemdCheck, usb.Usb)
}
"""The checks that can be columns."""

_OF_THE_TABLE = frozenset({*OnHosts.model_fields, "engine"})


class _CommandColumn(command.CheckParams):
    check: Literal["command"]


class _FileColumn(file.CheckParams):
    check: Literal["file"]


class _PortColumn(port.CheckParams):
    check: Literal["port"]


class _SystemdColumn(systemd.CheckParams):
    check: Literal["systemd"]


class _UsbColumn(usb.CheckParams):
    check: Literal["usb"]


_AnyColumn = _CommandColumn | _FileColumn | _PortColumn | _SystemdColumn | _UsbColumn


def _alone(column: _AnyColumn) -> _AnyColumn:
    """Where and how many at a time is said once, for all columns."""
    if given := sorted(_OF_THE_TABLE & column.model_fields_set):
        raise ValueError(f"`{given[0]}` is not for a column: it stands beside `checks`")
    return column


Column = Annotated[_AnyColumn, Field(discriminator="check"), AfterValidator(_alone)]
"""A kind's own keys, and `check` that names it."""


class FleetParams(OnHosts):
    """Where, and what is looked at there."""

    checks: Mapping[Name, Column] = Field(
        min_length=1, description="Checks by the name of their column: each `check: KIND` with that kind's own keys."
    )


class Fleet(Check[FleetParams]):
    """Several checks on every host of a group, one after the other on each; the result is a table, hosts × checks."""

    name = "fleet"
    Params = FleetParams
    evidence = (HostsTable,)
    symptoms: ClassVar[Mapping[str, str]] = dict(ChainMap(*(dict(kind.symptoms) for kind in KINDS.values())))

    def _kinds(self) -> dict[str, HostCheck[Any]]:
        return {name: KINDS[column.check](column) for name, column in self.params.checks.items()}

    def plan(self) -> tuple[str, ...]:
        lines = [f"{name}: {line}" for name, kind in self._kinds().items() for line in kind.plan()[:-1]]
        return (*lines, f"on {where(self.params.on)}")

    async def run(self, ctx: Context) -> Outcome:
        return await sweep(self.params, {name: kind.on_machine for name, kind in self._kinds().items()}, ctx)
