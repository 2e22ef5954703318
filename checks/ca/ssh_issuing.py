"""Asking a step-ca for an SSH user certificate: a fresh key, and a one-time token that says for whom."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    SSHCertificate,
    load_ssh_public_identity,
)

from checks.ca.errors import WrongStatus
from checks.ca.issuing import refusal
from checks.hosts.ssh_keys import blob_type
from runbook.errors import StepError

if TYPE_CHECKING:
    from checks.ca.client import Client
    from checks.ca.jwk import ProvisionerKey

SIGN = "/1.0/ssh/sign"


class SshCaOff(StepError):
    """The authority signs no SSH certificates."""

    symptom = "ssh ca off"


@dataclass(frozen=True, slots=True)
class SshRequest:
    """A key, and what is asked for with it."""

    key_id: str
    principals: tuple[str, ...]
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """As on the wire (RFC 5656 §3.1)."""
        line = self.key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return base64.b64decode(line.split()[1])

    def private(self) -> bytearray:
        """In OpenSSH's format, unencrypted; the caller wipes it."""
        return bytearray(self.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


@dataclass(frozen=True, slots=True)
class SshIssued:
    """What came back."""

    line: str
    """As a `…-cert.pub` file has it."""
    certificate: SSHCertificate


def ssh_request(key_id: str, principals: Sequence[str]) -> SshRequest:
    """With a new key on P-256, which every OpenSSH takes, also one that is held to FIPS 140."""
    return SshRequest(key_id, tuple(principals), ec.generate_private_key(ec.SECP256R1()))


async def issue_ssh(client: Client, key: ProvisionerKey, wanted: SshRequest, *, root: str, minutes: int) -> SshIssued:
    """A user certificate (`POST /1.0/ssh/sign`). Raises Refused, SshCaOff and the ServerError that fits.

    The token, too, says what is asked for (step-ca's claim `step.ssh`), so that it is good for nothing else; its
    subject is the key id, as step-ca wants it for a JWK provisioner.
    """
    asked = {"certType": "user", "keyID": wanted.key_id, "principals": list(wanted.principals)}
    token = key.token(wanted.key_id, client.url(SIGN), root=root, step={"ssh": asked})
    given = {
        **asked,
        "publicKey": base64.b64encode(wanted.public).decode(),
        "ott": token,
        "validBefore": f"{minutes}m",
    }
    try:
        said = await client.json("POST", SIGN, given)
    except WrongStatus as error:
        if error.status in (404, 501):
            raise SshCaOff(
                f"the authority signs no SSH user certificates: {error.what}",
                where=client.where,
                remedy="Its configuration needs `ssh.userKey`, and the claim `enableSSHCA` for its provisioners.",
            ) from None
        often = (
            "no claim `enableSSHCA` for its provisioners, its clock, the shortest time that a certificate may be valid"
        )
        raise refusal(error, client, often) from None
    return _issued(said, client)


def _issued(said: object, client: Client) -> SshIssued:
    """Raises NotJson."""
    encoded = said.get("crt") if isinstance(said, dict) else None
    if not isinstance(encoded, str):
        raise client.not_json(SIGN, "there is no certificate in it")
    try:
        blob = base64.b64decode(encoded, validate=True)
        line = f"{blob_type(blob)} {base64.b64encode(blob).decode()}"
        found = load_ssh_public_identity(line.encode())
    except (binascii.Error, ValueError, TypeError) as error:
        raise client.not_json(SIGN, f"what came is no SSH certificate ({error})") from None
    except Exception as error:  # noqa: BLE001 - the library has many words for what it does not read
        raise client.not_json(SIGN, f"what came cannot be read ({type(error).__name__})") from None
    if not isinstance(found, SSHCertificate):
        raise client.not_json(SIGN, "what came is a key without a certificate")
    return SshIssued(line, found)
