"""Which programs on this machine may hold a card reader, as far as /proc tells this user."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook.text import clean_line

TOKENS: Final = {("20a0", "4230"): "Nitrokey HSM", ("04e6", "5816"): "SmartCard-HSM", ("04e6", "5817"): "SmartCard-HSM"}
"""USB vendor and product of the dongles this is about."""

_CLIENT_LIBRARY: Final = "libpcsclite"
_OWN_MODULES: Final = "checks.hsm."
_SOCKET_VARIABLE: Final = "PCSCLITE_CSOCK_NAME"
_CONTAINER = re.compile(r"(docker|containerd|libpod|podman|lxc|kubepods|crio)")
_PROC: Final = Path("/proc")
_USB: Final = Path("/sys/bus/usb/devices")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that may stand in the way."""

    pid: int
    name: str
    place: str
    """Empty for a process of this host like any other; otherwise where it runs, in words."""

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid}{', ' + self.place if self.place else ''})"


def services() -> list[Holder]:
    """Every pcscd, also those of containers."""
    return [_holder(process) for process in _processes() if _comm(process) == "pcscd"]


def clients(socket: str = "") -> list[Holder]:
    """Programs that use PC/SC now, without this one's workers and pcscd itself.

    `socket` is where pcscd listens, when it is not the usual place; those that look elsewhere do not count.
    """
    return [
        _holder(process)
        for process in _processes()
        if _CLIENT_LIBRARY in _text(process / "maps")
        and _comm(process) != "pcscd"
        and not _ours(process)
        and _socket_of(process) in (None, socket)
    ]


def _socket_of(process: Path) -> str | None:
    """Where this program looks for pcscd; empty for the usual place, None where its environment is not ours to see."""
    environment = _text(process / "environ")
    if not environment:
        return None
    prefix = f"{_SOCKET_VARIABLE}="
    named = (entry.removeprefix(prefix) for entry in environment.split("\0") if entry.startswith(prefix))
    return next(named, "")


def usb_holders() -> list[tuple[str, list[Holder]]]:
    """Each known dongle on the USB bus, with the processes that have its device file open."""
    return [(name, [_holder(process) for process in _processes() if _has_open(process, node)]) for name, node in _usb()]


def _usb() -> Iterator[tuple[str, str]]:
    for device in sorted(_USB.glob("*")) if _USB.is_dir() else ():
        name = TOKENS.get((_text(device / "idVendor").strip(), _text(device / "idProduct").strip()))
        bus, number = _text(device / "busnum").strip(), _text(device / "devnum").strip()
        if name and bus.isdigit() and number.isdigit():
            yield name, f"/dev/bus/usb/{int(bus):03d}/{int(number):03d}"


def _processes() -> Iterator[Path]:
    return (entry for entry in _PROC.iterdir() if entry.name.isdigit())


def _ours(process: Path) -> bool:
    """A worker of this program's own, or one like it."""
    if _OWN_MODULES not in _text(process / "cmdline"):
        return False
    own = os.getpid()
    pid = int(process.name)
    while pid > 1:
        if pid == own:
            return True
        fields = _text(_PROC / str(pid) / "stat").rpartition(")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return False


def _holder(process: Path) -> Holder:
    return Holder(int(process.name), clean_line(_comm(process), 40), _place(process))


def _place(process: Path) -> str:
    try:
        elsewhere = (process / "ns/mnt").readlink() != (_PROC / "self/ns/mnt").readlink()
    except OSError:  # not ours to see
        elsewhere = False
    return place_of(_text(process / "cgroup"), elsewhere=elsewhere)


def place_of(cgroup: str, *, elsewhere: bool) -> str:
    """The container by its control group; or that its files are not its host's."""
    container = _CONTAINER.search(cgroup)
    if container:
        return f"in a container ({container[1]})"
    return "in namespaces of its own, as a container is" if elsewhere else ""


def _has_open(process: Path, node: str) -> bool:
    try:
        return any(os.readlink(entry.path) == node for entry in os.scandir(process / "fd"))  # noqa: PTH115
    except OSError:
        return False


def _comm(process: Path) -> str:
    return _text(process / "comm").strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
