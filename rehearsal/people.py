"""The lab's two people: a key for each, and the file that trusts them (docs/approval.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from rehearsal.private_file import write_private
from runbook.people.approval import NAMESPACE
from runbook.people.inbox import account_name

DRIVER, WITNESS = "driver", "witness"
"""Their names in the site profile."""

_FOLDER = "people"
_SIGNERS = "allowed_signers"


@dataclass(frozen=True, slots=True)
class LabPeople:
    """Who takes part in a rehearsal."""

    profile: dict[str, object]
    """`two_people` of the site profile."""
    witness_key: Path
    """The second person's private key, without a passphrase."""


def make_people(lab: Path) -> LabPeople:
    """Make their Ed25519 keys in the lab (OpenSSH's format, mode 0600), and the allowed-signers file."""
    folder = lab / _FOLDER
    folder.mkdir(mode=0o700)
    trusted = "".join(
        f'{_principal(name)} namespaces="{NAMESPACE}" {make_key(folder / name, name)}\n' for name in (DRIVER, WITNESS)
    )
    (folder / _SIGNERS).write_text(trusted)
    people = {
        # Whoever makes the lab drives; the witness, who is often the same person here, has a key and no account.
        DRIVER: {"principal": _principal(DRIVER), "accounts": [account_name()], "may": ["drive"]},
        WITNESS: {"principal": _principal(WITNESS), "may": ["witness"]},
    }
    return LabPeople({"allowed_signers": f"{_FOLDER}/{_SIGNERS}", "people": people}, folder / WITNESS)


def _principal(name: str) -> str:
    return f"{name}@rehearsal.invalid"


def make_key(path: Path, name: str) -> str:
    """An Ed25519 key pair in OpenSSH's format: the private key in `path`, mode 0600. Returns the public one."""
    key = Ed25519PrivateKey.generate()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_suffix(".pub").write_text(f"{public} {name} (rehearsal)\n")
    return public
