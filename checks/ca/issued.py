"""Whether a certificate is what was asked for, and whether it leads over this intermediate to this root.

Judged by cryptography; `checks.ca.openssl` has OpenSSL's own word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509 import verification

from checks.artefacts.certificates import judge_intermediate, judge_root
from checks.artefacts.fingerprints import certificate_sha256, spki
from checks.ca.chain import chain_links, name_of, signed_by
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
    """What was found in one respect, and the symptom where it is not right."""

    text: str
    holds: bool
    symptom: str

    @property
    def statement(self) -> Statement:
        return Statement(text=self.text, holds=self.holds)


def said(holds: bool, symptom: str, right: str, wrong: str) -> Judged:
    """The one text or the other."""
    return Judged(right if holds else wrong, holds, symptom)


def first_wrong(judged: Iterable[Judged]) -> tuple[str, str] | None:
    """What is told where not all of it is right, the first and how many more, and its symptom; None: all is right."""
    bad = [one for one in judged if not one.holds]
    if not bad:
        return None
    return bad[0].text + (f"; and {len(bad) - 1} more" if len(bad) > 1 else ""), bad[0].symptom


def judge(
    issued: Issued, wanted: Request, intermediate: x509.Certificate, root: x509.Certificate, names: tuple[str, str]
) -> Iterator[Judged]:
    """What was found in every respect, the weightiest first; `names` are those of the two files, for people."""
    middle, top = names
    found, now = issued.certificate, dt.datetime.now(dt.UTC)
    came = issued.above[0]
    with_it = "the intermediate that came with it is"
    same = certificate_sha256(came) == certificate_sha256(intermediate)
    other = f"not {middle} but {name_of(came)}, SHA-256 {certificate_sha256(came)}"
    yield said(same, ANOTHER, f"{with_it} {middle}", f"{with_it} {other}")
    signed = signed_by(found, intermediate)
    yield said(signed, ANOTHER, f"the key of {middle} has signed it", f"the key of {middle} has not signed it")
    mine = spki(found.public_key()) == spki(_public(wanted))
    yield said(mine, WRONG, "it holds the key that was made here", "it holds another key than the one made here")
    listed = dns_names(found)
    wrong = f"it is for {', '.join(listed) or 'no name'}, and was asked for {wanted.name}"
    yield said(listed == (wanted.name,), WRONG, f"it is for {wanted.name} and for nothing else", wrong)
    yield said(not _is_ca(found), WRONG, "it is not the certificate of a CA", "it is the certificate of a CA")
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    clock = f"it is valid from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M} here"
    yield said(begins <= now + SKEW and now <= ends, NOT_VALID, "it is valid now", clock)
    above = [*judge_intermediate(intermediate, root, now).problems, *judge_root(root, now).problems, ""][0]
    yield said(not above, CHAIN, f"{top} has signed {middle}", f"{middle} is not one under {top}: {above}")
    why = _chain_problem(found, intermediate, root, wanted.name)
    way = f"over {middle} to {top}"
    yield said(not why, CHAIN, f"there is a way from it {way}", f"there is no way from it {way}: {why}")


def links(issued: Issued, root: x509.Certificate) -> tuple[ChainLink, ...]:
    """The certificate, those that came with it, and the root."""
    return chain_links((issued.certificate, *issued.above), root)


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


def _chain_problem(
    certificate: x509.Certificate, intermediate: x509.Certificate, root: x509.Certificate, name: str
) -> str:
    """Why there is no path (RFC 5280 §6) for a TLS server of that name; empty: there is one.

    Of extensions only those count that make a path: the rules of public CAs for the others do not bind a private one.
    """
    either = verification.Criticality.AGNOSTIC
    ca = verification.ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, either, None)
    ee = verification.ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, either, None)
    now = max(dt.datetime.now(dt.UTC), certificate.not_valid_before_utc)  # its own time is judged by itself
    builder = verification.PolicyBuilder().store(verification.Store([root])).time(now)
    verifier = builder.extension_policies(ca_policy=ca, ee_policy=ee).build_server_verifier(x509.DNSName(name))
    try:
        verifier.verify(certificate, [intermediate])
    except (verification.VerificationError, ValueError) as error:
        return str(error)
    return ""
