"""Asking a step-ca for a TLS certificate: a fresh key that stays in memory, a request for it, a one-time token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from checks.artefacts.keys import parse_certificate
from checks.artefacts.symptoms import WrongArtefact
from checks.ca.errors import WrongStatus
from runbook.errors import StepError

if TYPE_CHECKING:
    from checks.ca.client import Client
    from checks.ca.jwk import ProvisionerKey

SIGN = "/1.0/sign"


class Refused(StepError):
    """The authority takes the one-time token for none of its own, or does not give what was asked for."""

    symptom = "refused"


@dataclass(frozen=True, slots=True)
class Request:
    """A key and what is asked for with it."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    csr: str = field(repr=False)
    """PKCS#10 (RFC 2986), PEM."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What came back."""

    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    """The certificates that came with it: the intermediate first."""


def request(name: str) -> Request:
    """A new key on P-256 and a request for a certificate of this DNS name."""
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Request(name, key, csr.public_bytes(Encoding.PEM).decode("ascii"))


async def issue(client: Client, key: ProvisionerKey, wanted: Request, *, root: str, minutes: int) -> Issued:
    """The certificate (`POST /1.0/sign`); `root` is the SHA-256 of the root, which the authority compares.

    Raises Refused and the ServerError that fits. The token is used up, or ends by itself in minutes.
    """
    token = key.token(wanted.name, client.url(SIGN), sans=[wanted.name], root=root)
    given: dict[str, Any] = {"csr": wanted.csr, "ott": token, **({"notAfter": f"{minutes}m"} if minutes else {})}
    try:
        said = await client.json("POST", SIGN, given)
    except WrongStatus as error:
        often = "its clock, a claim of the provisioner, a name that it does not allow"
        raise refusal(error, client, often) from None
    return _issued(said, client)


def refusal(error: WrongStatus, client: Client, often: str) -> StepError:
    """Refused, with what it often is, where the status says so; else the error itself."""
    if error.status not in (400, 401, 403):
        return error
    return Refused(
        f"the authority does not sign: {error.what}",
        where=client.where,
        remedy=f"Its log has the reason. Often: {often}, or a URL that is none of its `dnsNames`.",
    )


def _issued(said: object, client: Client) -> Issued:
    """Raises NotJson."""
    if not isinstance(said, Mapping):
        raise client.not_json(SIGN, "it is no object")
    chain = said.get("certChain") or [said.get("crt"), said.get("ca")]
    if not isinstance(chain, list) or not 2 <= len(chain) <= 10 or not all(isinstance(one, str) for one in chain):
        raise client.not_json(SIGN, "there is no certificate with its chain")
    try:
        first, *above = (parse_certificate(one.encode(), Path("certificate")) for one in chain)
    except WrongArtefact as error:
        raise client.not_json(SIGN, error.what) from None
    return Issued(first, tuple(above))
