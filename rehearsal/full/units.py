"""The units of systemd that input-b has in a full lab, as pcsc-lite ships them: a service and its socket.

Only what they are and how they stand: what starting and stopping means is for `rehearsal.full.services`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from runbook.errors import EnvironmentLacks

SERVICE, SOCKET = "pcscd.service", "pcscd.socket"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """What the package says of a unit (systemd.unit(5)), as far as anybody asks."""

    description: str
    running: str
    """SubState while it is active."""
    path: str


UNIT_FILES = {
    SERVICE: UnitFile("PC/SC Smart Card Daemon", "running", "/lib/systemd/system/pcscd.service"),
    SOCKET: UnitFile("PC/SC Smart Card Daemon Activation Socket", "listening", "/lib/systemd/system/pcscd.socket"),
}


class Units(msgspec.Struct, forbid_unknown_fields=True):
    """How the units stand; a fresh machine has both active."""

    active: set[str] = msgspec.field(default_factory=lambda: {SERVICE, SOCKET})
    masked: set[str] = msgspec.field(default_factory=set)
    """Any names: systemd masks what does not exist, too."""
    enabled: bool = True
    """The socket's; the service has no link of its own (`Also=pcscd.socket`)."""
    since: dict[str, datetime] = msgspec.field(default_factory=dict)
    """When a unit last became active or inactive."""

    def set_active(self, unit: str, active: bool) -> None:
        """Remember it, and since when."""
        if active is (unit in self.active):
            return
        (self.active.add if active else self.active.discard)(unit)
        self.since[unit] = datetime.now(UTC)

    def load_state(self, unit: str) -> str:
        """`LoadState` of systemctl(1)."""
        if unit in self.masked:
            return "masked"
        return "loaded" if unit in UNIT_FILES else "not-found"

    def active_state(self, unit: str) -> str:
        """`ActiveState`."""
        return "active" if unit in self.active else "inactive"

    def file_state(self, unit: str) -> str:
        """`UnitFileState`; empty for a unit that is not there."""
        if unit in self.masked:
            return "masked"
        if unit == SOCKET:
            return "enabled" if self.enabled else "disabled"
        return "indirect" if unit == SERVICE else ""

    def properties(self, unit: str, main_pid: int) -> dict[str, str]:
        """What `systemctl show` tells, as far as anybody asks."""
        file = UNIT_FILES.get(unit)
        active, masked = unit in self.active, unit in self.masked
        since = self.since.get(unit)
        found = {
            "MainPID": str(main_pid if active else 0),
            "Id": unit,
            "Names": unit,
            "TriggeredBy": SOCKET if unit == SERVICE else "",
            "Triggers": SERVICE if unit == SOCKET else "",
            # Of a unit that is masked systemd reads nothing.
            "Description": file.description if file and not masked else unit,
            "LoadState": self.load_state(unit),
            "ActiveState": self.active_state(unit),
            "SubState": file.running if active and file else "dead",
            "FragmentPath": "/dev/null" if masked else file.path if file else "",
            "UnitFileState": self.file_state(unit),
            "StateChangeTimestamp": since.strftime("%a %Y-%m-%d %H:%M:%S UTC") if since else "",
        }
        services = {"MainPID"}
        return {key: value for key, value in found.items() if unit.endswith(".service") or key not in services}


def read(path: Path) -> Units:
    """As they were left; a fresh machine's where nothing was. Raises EnvironmentLacks."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Units)
    except FileNotFoundError:
        return Units()
    except (OSError, msgspec.DecodeError) as error:
        raise EnvironmentLacks(
            "how the services of the lab's host stood cannot be read",
            where=str(path),
            remedy="Remove the file: the host then begins with its services running.",
        ) from error


def write(path: Path, units: Units) -> None:
    """Replace the file, atomically and synced."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(units) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
