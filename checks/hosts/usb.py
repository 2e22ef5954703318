"""USB devices of a machine, as its kernel lists them in sysfs (no lsusb is needed)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.evidence.hosts_table import HostsTable
from checks.evidence.machines import UsbDevice, UsbDevices
from checks.hosts.fleet import HostCheck, OnHosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom, tell
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.kind import Params
from runbook.outcome import Outcome

SYSFS = "/sys/bus/usb/devices"

_SCRIPT = r"""
[ -d "$1" ] || { echo "there is no $1" >&2; exit 3; }
for d in "$1"/*; do
  [ -r "$d/idVendor" ] || continue
  echo "port ${d##*/}"
  for f in idVendor idProduct busnum devnum serial manufacturer product; do
    l=; [ -r "$d/$f" ] && IFS= read -r l <"$d/$f"
    printf '%s %s\n' "$f" "$l"
  done
done
"""

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "no device": "No such device is plugged in, or the kernel does not see it.",
    "too many devices": "There are more such devices than expected.",
    "too few devices": "There are fewer such devices than expected.",
    "another serial": "The device is of the right kind, but not the one that is meant.",
    "no usb": "The machine has no USB, or does not show it.",
}


class UsbParams(Params):
    """A kind of device, and how many of it there must be."""

    device: str = Field(
        pattern=r"^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$",
        description="Vendor and product, such as `20a0:4230`.",
        examples=["20a0:4230"],
    )
    count: int = Field(1, ge=0, le=127, description="How many there must be, exactly.", examples=[1])
    serial: str = Field(
        "", max_length=126, description="The serial that each must show; empty: any.", examples=["DENK0100001"]
    )


class CheckParams(UsbParams, OnHosts):
    """The same, and where."""


class Usb(HostCheck[CheckParams]):
    """A machine has exactly so many USB devices of a vendor and product, by default one."""

    name = "usb"
    Params = CheckParams
    evidence = (UsbDevices, HostsTable)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return (f"read {SYSFS}: {self.params.count} of {self.params.device}", as_whom(self.params.on, False))

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        lines = await tell(machine, ctx, _SCRIPT, SYSFS, symptom="no usb")
        devices = _devices(lines)
        wanted = self.params.device.lower()
        found = [self._device(item) for item in devices if f"{item['idVendor']}:{item['idProduct']}" == wanted]
        return self._judged(
            UsbDevices(
                on=machine.name,
                device=wanted,
                expected=self.params.count,
                found=tuple(found),
                others=len(devices) - len(found),
            )
        )

    def _device(self, item: Mapping[str, str]) -> UsbDevice:
        return UsbDevice(
            device=f"{item['idVendor']}:{item['idProduct']}",
            bus=item["busnum"],
            number=item["devnum"],
            port=item["port"],
            serial=item["serial"],
            name=f"{item['manufacturer']} {item['product']}".strip(),
            wanted=self.params.serial in ("", item["serial"]),
        )

    def _judged(self, found: UsbDevices) -> Outcome:
        count, expected = len(found.found), found.expected
        many = f"{count} {'device' if count == 1 else 'devices'} {found.device} on {found.on}"
        if count != expected:
            symptom = "no device" if not count else "too many devices" if count > expected else "too few devices"
            return Outcome.failed(f"{many}, expected {expected}", found, symptom=symptom)
        if not found.right:
            other = next(item for item in found.found if not item.wanted)
            said = (
                f"{found.device} on {found.on} has the serial {other.serial or '(none)'}, expected {self.params.serial}"
            )
            return Outcome.failed(said, found, symptom="another serial")
        return Outcome.passed(f"{many}, as expected", found)


def _devices(lines: list[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(" ")
        if name == "port":
            found.append({})
        if found:
            found[-1][name] = value.strip()
    return found
