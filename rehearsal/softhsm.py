"""A private SoftHSM2 token: found, configured and filled without privileges.

The token is made in a process of its own (`rehearsal.token_maker`), because a PKCS#11 module reads its
configuration once a process. The PINs reach that process through a pipe, never through its arguments or environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from rehearsal.token import LabToken
from runbook.errors import EnvironmentLacks
from runbook.secrets import Secret

_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",  # Debian
    "/usr/lib64/pkcs11/libsofthsm2.so",  # RHEL, Fedora
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",  # Arch
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_MULTIARCH = "*/softhsm/libsofthsm2.so"

FOLDER = "hsm"
"""Of the token, in a lab."""

_DEADLINE = 30.0
"""Seconds the making of a token may take; it takes about a tenth of one."""

_MISSING = "Install the Debian packages: apt-get install softhsm2 opensc git make"


def find_module() -> Path:
    """The SoftHSM2 module of this machine; raises EnvironmentLacks."""
    for place in (*map(Path, _PLACES), *sorted(Path("/usr/lib").glob(_MULTIARCH))):
        if place.is_file():
            return place
    raise EnvironmentLacks("SoftHSM2's PKCS#11 module was not found on this machine", remedy=_MISSING)


def make_token(folder: Path, label: str, keys: dict[str, str], *, pin: Secret, so_pin: Secret) -> LabToken:
    """A token in `folder` (which must not exist yet) with one P-384 key pair for each of `keys` (id → label).

    Raises EnvironmentLacks where SoftHSM2 is missing or does not do it.
    """
    module = find_module()
    store = folder / "tokens"
    store.mkdir(parents=True, mode=0o700)
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
    request = json.dumps({"module": str(module), "label": label, "keys": keys})
    made = json.loads(_call_maker(request, config, pin, so_pin))
    points = {key_id: bytes.fromhex(point) for key_id, point in made["points"].items()}
    return LabToken(module, {"SOFTHSM2_CONF": str(config)}, label, made["serial"], points)


def _call_maker(request: str, config: Path, pin: Secret, so_pin: Secret) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rehearsal.token_maker"],
            # One line of JSON, then the two PINs, a line each.
            input=b"\n".join((request.encode(), so_pin.reveal(), pin.reveal(), b"")),
            capture_output=True,
            env={**os.environ, "SOFTHSM2_CONF": str(config)},
            timeout=_DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentLacks(
            f"SoftHSM2 did not make a token within {_DEADLINE:.0f} s", where=str(config), remedy=_MISSING
        ) from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise EnvironmentLacks(f"SoftHSM2 did not make a token: {last}", where=str(config), remedy=_MISSING)
    return done.stdout
