"""Units of systemd: what `systemctl show` says of them, and the few verbs that a runbook needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from checks.evidence.hosts_table import HostsTable
from checks.evidence.machines import SystemdUnit
from checks.hosts.errors import FarSideLacks, HostError
from checks.hosts.fleet import HostAction, HostCheck, OnHost, OnHosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom, ask, last_words
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.fields import Model, OneOrMore
from runbook.kind import Params
from runbook.outcome import Outcome

_PROPERTIES = (
    *("Id", "Description", "LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID"),
    *("StateChangeTimestamp", "TriggeredBy"),
)

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "no such unit": "systemd knows no unit of that name.",
    "not active": "The unit is not active, and should be.",
    "active": "The unit is active, and should not be.",
    "enablement": "The unit is enabled and should not be, or the other way round.",
    "masking": "The unit is masked and should not be, or the other way round.",
    "masked until boot": "The unit is masked, but only until the machine starts again.",
    "no systemd": "systemctl does not work there: systemd is not what runs the machine.",
    "refused": "systemctl did not do what was asked.",
}


UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$")]
"""Without a suffix it is a service (systemd.unit(5)); no wildcards."""

Units = Annotated[tuple[UnitName, ...], OneOrMore]


class Expect(Model):
    """How each unit must be; what is not said is not judged."""

    active: bool | None = Field(None, description="Whether it runs (for a socket: listens).")
    enabled: bool | None = Field(None, description="Whether it starts with the machine.")
    masked: bool | None = Field(None, description="Whether nothing can start it.")
    present: bool | None = Field(None, description="`false`: systemd must know no such unit.")

    @model_validator(mode="after")
    def _something(self) -> Expect:
        said = (self.active, self.enabled, self.masked)
        if self.present is None and all(value is None for value in said):
            raise ValueError("say what is expected: `active`, `enabled`, `masked` or `present`")
        if self.present is False and any(value is not None for value in said):
            raise ValueError("a unit that is not to be there can have no other property")
        return self

    def lines(self) -> tuple[str, ...]:
        """What is expected, for people."""
        said = {"active": self.active, "enabled": self.enabled, "masked": self.masked, "there": self.present}
        return tuple(f"{'' if value else 'not '}{name}" for name, value in said.items() if value is not None)


class UnitParams(Params):
    """Units, by name."""

    unit: Units = Field(
        min_length=1,
        description="A unit or a list of them, such as `pcscd.socket`.",
        examples=["pcscd.socket", ["pcscd.socket", "pcscd.service"]],
    )
    sudo: bool = Field(False, description="Ask as root.")


class CheckParams(UnitParams, OnHosts):
    """Units, and how they must be."""

    expect: Expect = Field(description="How the units must be.", examples=[{"active": True, "enabled": True}])


class ActionParams(UnitParams, OnHost):
    """Units to change."""

    sudo: bool = Field(True, description="Do it as root.")


class SystemdCheck(HostCheck[CheckParams]):
    """Units of systemd are active or not, enabled or not, masked or not, as expected."""

    name = "systemd"
    Params = CheckParams
    evidence = (SystemdUnit, HostsTable)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return (f"systemctl show {' '.join(self.params.unit)}", as_whom(self.params.on, self.params.sudo))

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        return judged(await shown(machine, ctx, self.params.unit, self.params.sudo), self.params.expect, machine.name)


class SystemdAction(HostAction[ActionParams]):
    """Base of the actions: one verb of systemctl(1), and a look at what came of it."""

    Params = ActionParams
    evidence = (SystemdUnit,)
    symptoms: ClassVar = SYMPTOMS
    verb: ClassVar[str]
    result: ClassVar[Expect]
    """How the units are once it is done."""

    def plan(self) -> tuple[str, ...]:
        return (f"systemctl {self.verb} {' '.join(self.params.unit)}", as_whom((self.params.on,), self.params.sudo))

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        units, sudo = self.params.unit, self.params.sudo
        for unit in units:
            await ctx.touch("unit", unit, on=machine.name, how=f"systemctl {self.verb}")
        done = await ask(machine, ctx, ("systemctl", "--no-ask-password", self.verb, "--", *units), sudo=sudo)
        states = await shown(machine, ctx, units, sudo)
        if done.exit_code == 0:
            return judged(states, self.result, machine.name)
        found = tuple(_evidence(unit, properties, machine.name, (), ()) for unit, properties in states)
        return Outcome.failed(f"systemctl {self.verb} did not succeed: {last_words(done)}", *found, symptom="refused")


class Start(SystemdAction):
    """Start units of systemd."""

    verb = "start"
    result = Expect(active=True)


class Stop(SystemdAction):
    """Stop units of systemd; name a service together with the socket that would start it again."""

    verb = "stop"
    result = Expect(active=False)


class Restart(SystemdAction):
    """Restart units of systemd."""

    verb = "restart"
    result = Expect(active=True)


class Mask(SystemdAction):
    """Mask units of systemd, so that nothing can start them; what runs goes on until it is stopped."""

    verb = "mask"
    result = Expect(masked=True)


class Unmask(SystemdAction):
    """Unmask units of systemd."""

    verb = "unmask"
    result = Expect(masked=False)


class Enable(SystemdAction):
    """Let units of systemd start with the machine."""

    verb = "enable"
    result = Expect(enabled=True)


class Disable(SystemdAction):
    """Let units of systemd not start with the machine."""

    verb = "disable"
    result = Expect(enabled=False)


for _kind in (Start, Stop, Restart, Mask, Unmask, Enable, Disable):
    _kind.name = f"systemd.{_kind.verb}"

State = tuple[str, Mapping[str, str]]
"""A unit as it was named, and its properties."""


async def shown(machine: Machine, ctx: Context, units: Sequence[str], sudo: bool) -> list[State]:
    """The properties of each unit. Raises FarSideLacks and HostError."""
    argv = ("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", "--", *units)
    finished = await ask(machine, ctx, argv, sudo=sudo)
    if finished.exit_code != 0:
        raise FarSideLacks(
            f"systemctl does not answer: {last_words(finished)}", where=machine.name, symptom="no systemd"
        )
    blocks = finished.stdout.raw.decode("utf-8", errors="replace").strip("\n").split("\n\n")
    if len(blocks) != len(units):
        raise HostError(
            f"systemctl told of {len(blocks)} units instead of {len(units)}", where=machine.name, symptom="no systemd"
        )
    found = [dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line) for block in blocks]
    return list(zip(units, found, strict=True))


def judged(states: Sequence[State], expect: Expect, on: str) -> Outcome:
    """The verdict on all of them; the first symptom is told."""
    found, symptoms, remedy = [], [], ""
    for unit, properties in states:
        problems = list(_problems(unit, properties, expect))
        symptoms += [symptom for _, symptom in problems]
        found.append(_evidence(unit, properties, on, expect.lines(), tuple(said for said, _ in problems)))
    wrong = [item for item in found if item.problems]
    if wrong and set(symptoms) == {"masked until boot"}:
        return Outcome.warned(wrong[0].problems[0], *found, symptom=symptoms[0], remedy="Mask it without `--runtime`.")
    if wrong:
        if symptoms[0] == "active" and wrong[0].triggered_by:
            remedy = f"What starts it again: {', '.join(wrong[0].triggered_by)}."
        return Outcome.failed("; ".join(item.problems[0] for item in wrong), *found, symptom=symptoms[0], remedy=remedy)
    names = ", ".join(unit for unit, _ in states)
    return Outcome.passed(f"{names} on {on}: {', '.join(expect.lines())}", *found)


def _problems(unit: str, properties: Mapping[str, str], expect: Expect) -> list[tuple[str, str]]:
    """What is not as expected, each with its symptom."""
    load, active, file = (properties.get(key, "") for key in ("LoadState", "ActiveState", "UnitFileState"))
    if load == "not-found":
        return [] if expect.present is False else [(f"there is no unit {unit}", "no such unit")]
    found: list[tuple[str, str]] = []
    if expect.present is False:
        found.append((f"there is a unit {unit}", "active" if active == "active" else "enablement"))
    # A unit on its way down or up is not where it should be either way.
    if expect.active is True and active not in ("active", "reloading"):
        found.append((f"{unit} is {active}", "not active"))
    if expect.active is False and active not in ("inactive", "failed"):
        found.append((f"{unit} is {active}", "active"))
    if expect.enabled is not None and (file in ("enabled", "enabled-runtime", "alias")) != expect.enabled:
        found.append((f"{unit} is {file or 'without a unit file'}", "enablement"))
    masked = load == "masked" or file.startswith("masked")
    if expect.masked is not None and masked != expect.masked:
        found.append((f"{unit} is {'' if masked else 'not '}masked", "masking"))
    elif expect.masked and file == "masked-runtime":
        found.append((f"{unit} is masked, but only until the next start", "masked until boot"))
    return found


def _evidence(
    unit: str, properties: Mapping[str, str], on: str, expected: tuple[str, ...], problems: tuple[str, ...]
) -> SystemdUnit:
    pid = properties.get("MainPID", "")
    return SystemdUnit(
        unit=properties.get("Id") or unit,
        on=on,
        description=properties.get("Description", ""),
        load=properties.get("LoadState", ""),
        active=f"{properties.get('ActiveState', '')} ({properties.get('SubState', '')})",
        file=properties.get("UnitFileState", ""),
        main_pid=int(pid) if pid.isdecimal() else 0,
        since=properties.get("StateChangeTimestamp", ""),
        triggered_by=tuple(properties.get("TriggeredBy", "").split()),
        expected=expected,
        problems=problems,
    )
