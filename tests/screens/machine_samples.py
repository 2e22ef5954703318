"""What is found on machines, by kind: the green one first."""

from __future__ import annotations

import hashlib

from checks.evidence.machines import Copied, FileState, PortState, SecretCompared, SystemdUnit, UsbDevice, UsbDevices
from runbook.outcome import Evidence

SHA = hashlib.sha256(b"udev rule").hexdigest()

KEY = UsbDevice(device="20a0:4230", bus="1", number="7", port="1-4.2", serial="DENK0400001", name="Nitrokey HSM")
OTHER = KEY.model_copy(update={"serial": "DENK0400002", "port": "1-4.3", "wanted": False})

_UNIT = SystemdUnit(
    unit="pcscd.socket",
    on="input-b",
    description="PC/SC Smart Card Daemon Activation Socket",
    load="loaded",
    active="active (listening)",
    file="enabled",
    since="Wed 2026-04-29 09:10:07 UTC",
    expected=("active", "enabled"),
)
_FILE = FileState(
    path="/etc/udev/rules.d/99-nitrokey.rules",
    on="input-b",
    as_root=True,
    found="regular file",
    mode="0644",
    owner="root",
    group="root",
    size=412,
    changed="2026-04-29T09:10:07Z",
    sha256=SHA,
    matched=("there", "mode 0644", f"SHA-256 {SHA}"),
)
_COPY = Copied(
    source="local:export/root_ca.crt",
    target="input-b:/etc/ssl/root_ca.crt",
    size=1216,
    source_sha256=SHA,
    target_sha256=SHA,
    mode="0644",
    owner="root",
    group="root",
)
_PORT = PortState(address="127.0.0.1", port=9000, seen_from="input-b", state="open", expected="open", by="python3")
_SECRET = SecretCompared(path="/opt/data-center/.env", on="input-b", variable="STEP_CA_HSM_PIN", same=True)

MACHINES: dict[str, tuple[Evidence, ...]] = {
    "systemd_unit": (
        _UNIT,
        _UNIT.model_copy(
            update={
                "main_pid": 4711,
                "triggered_by": ("pcscd.socket",),
                "expected": ("not active", "masked"),
                "problems": ("pcscd.service is active", "pcscd.service is not masked"),
            }
        ),
    ),
    "usb": (
        UsbDevices(on="input-b", device="20a0:4230", expected=1, found=(KEY,), others=6),
        UsbDevices(on="input-b", device="20a0:4230", expected=1, found=(KEY, OTHER), others=6),
    ),
    "file_state": (
        _FILE,
        _FILE.model_copy(update={"target": "../old", "problems": ("mode is 0644, expected 0600",)}),
    ),
    "copied": (
        _COPY,
        _COPY.model_copy(update={"target_sha256": "", "mode": ""}),
        _COPY.model_copy(update={"target_sha256": hashlib.sha256(b"other").hexdigest()}),
    ),
    "port": (_PORT, _PORT.model_copy(update={"state": "no answer", "by": ""})),
    "secret_compared": (_SECRET, _SECRET.model_copy(update={"same": False})),
}
