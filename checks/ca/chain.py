"""Certificates from a server's own to the root, each with what is wrong about it in its place."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from checks.artefacts.certificates import signed_with
from checks.artefacts.keys import key_type, parse_certificate
from checks.artefacts.symptoms import WrongArtefact
from checks.evidence.ca import ChainLink

ISSUED, SERVER, INTERMEDIATE, ROOT = "issued", "server", "intermediate", "root"


def chain_links(
    way: Sequence[x509.Certificate],
    root: x509.Certificate | None = None,
    first: str = ISSUED,
    now: dt.datetime | None = None,
) -> tuple[ChainLink, ...]:
    """`way` from the certificate upwards; `root` is where it must lead to, None: to whatever stands last."""
    found = list(way)
    if root is not None and (not found or found[-1] != root):
        found.append(root)
    at = now or dt.datetime.now(dt.UTC)
    links = []
    for place, one in enumerate(found):
        above = found[place + 1] if place + 1 < len(found) else None
        last = above is None and place > 0
        role = first if place == 0 else ROOT if last and one.subject == one.issuer else INTERMEDIATE
        links.append(_link(one, role, _problem(one, above if above is not None else one if last else None, at)))
    return tuple(links)


def served(chain: Sequence[bytes], root: x509.Certificate | None = None) -> tuple[ChainLink, ...]:
    """What a server has shown (DER, its own first); one that cannot be read ends the way."""
    way = []
    for raw in chain:
        try:
            way.append(parse_certificate(raw, Path("certificate")))
        except WrongArtefact:
            break
    return chain_links(way, root, SERVER) if way else ()


def name_of(certificate: x509.Certificate) -> str:
    """Its subject (RFC 4514)."""
    return certificate.subject.rfc4514_string() or "no subject"


def signed_by(certificate: x509.Certificate, above: x509.Certificate) -> bool:
    """Whether the key of `above` has signed it, and it names that as its issuer."""
    try:
        certificate.verify_directly_issued_by(above)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _problem(one: x509.Certificate, above: x509.Certificate | None, now: dt.datetime) -> str:
    """`above` is who should have signed it: of the last its own key; None: nobody is known."""
    if above is not None and not signed_by(one, above):
        if above is not one:
            return f"not signed by {name_of(above)}"
        itself = one.subject == one.issuer
        return "its own signature does not verify" if itself else f"{one.issuer.rfc4514_string()} is not here"
    if now < one.not_valid_before_utc:
        return "not valid yet"
    return "no longer valid" if now > one.not_valid_after_utc else ""


def _link(one: x509.Certificate, role: str, problem: str) -> ChainLink:
    return ChainLink(
        role=role,
        subject=name_of(one),
        key=key_type(one.public_key()),
        signed_with=signed_with(one),
        begins=one.not_valid_before_utc.isoformat(),
        ends=one.not_valid_after_utc.isoformat(),
        sha256=hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest(),
        problem=problem,
    )
