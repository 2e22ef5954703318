"""The USB bus of a lab's host as its kernel lists it (sysfs, `/sys/bus/usb/devices`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

PLACE = "/sys/bus"
"""Where the tree stands in for the machine's own, which may have no USB at all, in the host's mount namespace."""

Device = Mapping[str, str]
"""The attributes of a device: the names of the files and what is in them."""

HUB: Device = {
    "idVendor": "1d6b",
    "idProduct": "0002",
    "busnum": "1",
    "devnum": "1",
    "manufacturer": "Linux xhci-hcd",
    "product": "xHCI Host Controller",
    "serial": "0000:00:14.0",
}

NITROKEY: Device = {
    "idVendor": "20a0",
    "idProduct": "4230",
    "busnum": "1",
    "devnum": "4",
    "manufacturer": "Nitrokey",
    "product": "Nitrokey HSM",
}


def make_tree(bus: Path, devices: Sequence[tuple[str, Device]]) -> None:
    """What is to stand at `PLACE`: each of `devices` at its port (`usb1` is a root hub, `1-3` a port of it)."""
    place = bus / "usb" / "devices"
    place.mkdir(parents=True)
    for port, device in devices:
        folder = place / port
        folder.mkdir()
        for name, value in device.items():
            (folder / name).write_text(f"{value}\n")
