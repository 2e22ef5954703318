"""Keys and certificates of the lab: made by ssh-keygen, as a site would."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ssh_lab.plan import ACCOUNTS, ALPHA, MACHINES

ALL_ACCOUNTS = (*(account.name for account in ACCOUNTS), "root")

CERTIFICATES: Mapping[str, Sequence[str]] = {
    "certified": (),
    "wrong-principal": ("-n", "somebody"),
    "expired": ("-V", "20200101:20210101"),
    "not-yet-valid": ("-V", "20900101:20910101"),
    "other-ca": (),
    "other-address": ("-O", "source-address=203.0.113.7/32"),
}
"""Identities that are let in only by their certificate, with what is said to ssh-keygen beside the usual."""

PLAIN = ("operator", "passphrase", "stranger")
"""`operator` and `passphrase` are in every authorized_keys; `passphrase` is encrypted with PASSPHRASE."""

PASSPHRASE = "open sesame"


def make_keys(folder: Path) -> None:
    """Everything under `folder`: NAME, NAME.pub and NAME-cert.pub for users, host-NAME… for hosts, and the CAs."""
    for name in ("user-ca", "host-ca", "other-ca-key", "other-host-key", *CERTIFICATES, *PLAIN):
        key(folder / name, passphrase=PASSPHRASE if name == "passphrase" else "")
    for name, changes in CERTIFICATES.items():
        ca = folder / ("other-ca-key" if name == "other-ca" else "user-ca")
        given = list(changes)
        if "-n" not in given:
            given += ["-n", ",".join(ALL_ACCOUNTS)]
        if "-V" not in given:
            given += ["-V", "-1h:+1d"]
        sign(ca, folder / name, f"id of {name}", *given)
    for machine in MACHINES:
        key(folder / f"host-{machine}")
        # A machine has keys of several types; the client has to ask for the one it has on file.
        key(folder / f"host-{machine}-ecdsa", "ecdsa")
    sign(folder / "host-ca", folder / f"host-{ALPHA}", ALPHA, "-h", "-n", ALPHA, "-V", "-1h:+1d")


def key(path: Path, key_type: str = "ed25519", passphrase: str = "") -> None:
    _keygen("-q", "-t", key_type, "-N", passphrase, "-C", path.name, "-f", str(path))


def sign(ca: Path, public: Path, identity: str, *options: str) -> None:
    """Writes `public`-cert.pub (ssh-keygen(1), CERTIFICATES)."""
    _keygen("-q", "-s", str(ca), "-I", identity, *options, f"{public}.pub")


def fingerprint(public: Path) -> str:
    """`SHA256:…` as ssh-keygen -l shows it."""
    return _keygen("-l", "-f", str(public)).split()[1]


def _keygen(*arguments: str) -> str:
    done = subprocess.run(["ssh-keygen", *arguments], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError(f"ssh-keygen {' '.join(arguments)}: {done.stderr}")
    return done.stdout
