"""Whether a certificate is what was asked for, and whether it leads over this intermediate to this root.

Judged by cryptography; `checks.ca.openssl` has OpenSSL's own word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import verification

from checks.artefacts.certificates import judge_intermediate, judge_root, signed_with
from checks.artefacts.fingerprints import certificate_sha256, spki
from checks.ca.issuing import Issued, Request
from checks.evidence.ca import ChainLink, Statement

WRONG = "wrong certificate"
NOT_VALID = "not valid"
ANOTHER = "another intermediate"
CHAIN = "no chain"
OPENSSL = "openssl refuses"

SKEW = dt.timedelta(minutes=1)
"""How far the authority's clock may be ahead."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One statement and the symptom of its being false."""

    text: str
    holds: bool
    symptom: str

    @property
    def statement(self) -> Statement:
        return Statement(text=self.text, holds=self.holds)


def judge(
    issued: Issued, wanted: Request, intermediate: x509.Certificate, root: x509.Certificate, names: tuple[str, str]
) -> Iterator[Judged]:
    """Every statement; `names` are those of the two files, for people. The weightiest come first."""
    middle, top = names
    found, now = issued.certificate, dt.datetime.now(dt.UTC)
    came = issued.above[0]
    same = certificate_sha256(came) == certificate_sha256(intermediate)
    yield Judged(f"the intermediate that came with it is {middle}", same, ANOTHER)
    signed = _holds(lambda: found.verify_directly_issued_by(intermediate))
    yield Judged(f"the key of {middle} has signed it", signed, ANOTHER)
    yield Judged("it holds the key that was made here", spki(found.public_key()) == spki(_public(wanted)), WRONG)
    yield Judged(f"it is for {wanted.name} and for nothing else", dns_names(found) == (wanted.name,), WRONG)
    yield Judged("it is not the certificate of a CA", not _is_ca(found), WRONG)
    valid = found.not_valid_before_utc <= now + SKEW and now <= found.not_valid_after_utc
    yield Judged("it is valid now", valid, NOT_VALID)
    above = [*judge_intermediate(intermediate, root, now).problems, *judge_root(root, now).problems]
    yield Judged(f"{top} has signed {middle}{f': {above[0]}' if above else ''}", not above, CHAIN)
    said = _chain_problem(found, issued.above, root, wanted.name, max(now, found.not_valid_before_utc))
    yield Judged(f"there is a way from it to {top}{f': {said}' if said else ''}", not said, CHAIN)


def links(issued: Issued, root: x509.Certificate) -> tuple[ChainLink, ...]:
    """The certificate, those that came with it, and the root."""
    roles = ["issued", *("intermediate" for _ in issued.above), "root"]
    return tuple(
        ChainLink(
            role=role,
            subject=name_of(one),
            signed_with=signed_with(one),
            ends=one.not_valid_after_utc.isoformat(),
            sha256=certificate_sha256(one),
        )
        for role, one in zip(roles, (issued.certificate, *issued.above, root), strict=True)
    )


def name_of(certificate: x509.Certificate) -> str:
    """Its subject (RFC 4514)."""
    return certificate.subject.rfc4514_string() or "no subject"


def dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Its subject alternative names; one that is no DNS name as the library shows it."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(one.value if isinstance(one, x509.DNSName) else str(one) for one in names)


def _public(wanted: Request) -> PublicKeyTypes:
    return wanted.key.public_key()


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _holds(verify: Callable[[], object]) -> bool:
    try:
        verify()
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _chain_problem(
    certificate: x509.Certificate,
    above: tuple[x509.Certificate, ...],
    root: x509.Certificate,
    name: str,
    now: dt.datetime,
) -> str:
    """Why there is no path (RFC 5280 §6) for a TLS server of that name; empty: there is one.

    A private CA need not follow the rules of public ones for extensions; those of its own are judged beside this.
    """
    ca = verification.ExtensionPolicy.webpki_defaults_ca()
    ee = verification.ExtensionPolicy.webpki_defaults_ee()
    builder = verification.PolicyBuilder().store(verification.Store([root])).time(now)
    builder = builder.extension_policies(ca_policy=ca, ee_policy=ee)
    try:
        builder.build_server_verifier(x509.DNSName(name)).verify(certificate, list(above))
    except verification.VerificationError as error:
        return str(error)
    except ValueError as error:
        return f"it cannot be judged: {error}"
    return ""
