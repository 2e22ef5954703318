"""What a root and an intermediate CA certificate must be (RFC 5280 §4.2.1.3, §4.2.1.9, §6.1)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from checks.artefacts.keys import key_type, weaknesses

WEAK_HASHES = frozenset({"md5", "sha1"})

SOON = dt.timedelta(days=30)
"""A certificate that ends sooner is warned about."""


@dataclass(slots=True)
class Judgement:
    """What was found out about a certificate."""

    details: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def judge_root(root: x509.Certificate, now: dt.datetime) -> Judgement:
    """A self-signed CA certificate that may sign an intermediate."""
    found = _judge_ca(root, now)
    if root.issuer != root.subject:
        found.problems.append(f"not self-signed: issued by {_name(root.issuer)}")
    elif not _issued_by(root, root):
        found.problems.append("its own signature does not verify: the file was changed")
    constraints = _constraints(root, found)
    if constraints is not None and constraints.path_length == 0:
        found.problems.append("its path length of 0 forbids any intermediate")
    return found


def judge_intermediate(certificate: x509.Certificate, root: x509.Certificate | None, now: dt.datetime) -> Judgement:
    """A CA certificate that the root has signed; `root` is None where that file is not usable."""
    found = _judge_ca(certificate, now)
    if certificate.issuer == certificate.subject:
        found.problems.append("self-signed: this is a root certificate, not an intermediate")
    elif root is None:
        found.warnings.append("whether the root signed it is not known, as there is no usable root")
    elif certificate.issuer != root.subject:
        found.problems.append(f"not issued by this root but by {_name(certificate.issuer)}")
    elif not _issued_by(certificate, root):
        found.problems.append("names this root as its issuer, but the root's key did not sign it")
    else:
        found.details.append("signed by the root")
        if certificate.not_valid_after_utc > root.not_valid_after_utc:
            found.warnings.append("ends later than the root")
    return found


def _judge_ca(certificate: x509.Certificate, now: dt.datetime) -> Judgement:
    found = Judgement()
    found.details += [
        f"subject {_name(certificate.subject)}",
        f"issuer {_name(certificate.issuer)}",
        f"valid {certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}",
        f"key {key_type(certificate.public_key())}, signed with {signed_with(certificate)}",
    ]
    _validity(certificate, now, found)
    constraints = _constraints(certificate, found)
    if constraints is None:
        found.problems.append("no CA certificate: it has no basicConstraints")
    elif not constraints.ca:
        found.problems.append("no CA certificate: basicConstraints says CA:FALSE")
    elif constraints.path_length is not None:
        found.details.append(f"path length {constraints.path_length}")
    _usage(certificate, found)
    found.warnings += weaknesses(certificate.public_key())
    if _hash_name(certificate) in WEAK_HASHES:
        found.warnings.append(f"signed with {signed_with(certificate)}, which is too weak")
    return found


def _validity(certificate: x509.Certificate, now: dt.datetime, found: Judgement) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begin:
        found.problems.append(f"not valid before {begin:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M} here")
    elif now > end:
        found.problems.append(f"expired on {end:%Y-%m-%d %H:%M} UTC")
    elif end - now < SOON:
        found.warnings.append(f"expires on {end:%Y-%m-%d %H:%M} UTC")


def _usage(certificate: x509.Certificate, found: Judgement) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        found.warnings.append("has no keyUsage, which a CA certificate must have")
        return
    if not usage.key_cert_sign:
        found.problems.append("may not sign certificates: keyUsage lacks keyCertSign")


def _constraints(certificate: x509.Certificate, found: Judgement) -> x509.BasicConstraints | None:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return None
    said = "basicConstraints is not marked critical"
    if not extension.critical and said not in found.warnings:
        found.warnings.append(said)
    return extension.value


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key made the signature; its name was compared before."""
    try:
        if _hash_name(certificate) in WEAK_HASHES:
            _verify_weak(certificate, issuer)
        else:
            certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _verify_weak(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """The library refuses these for whole certificates; they are warned about, and verified all the same."""
    algorithm, key = certificate.signature_hash_algorithm, issuer.public_key()
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    if algorithm is not None and isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    elif algorithm is not None and isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(algorithm))
    else:
        raise UnsupportedAlgorithm("neither RSA nor ECDSA")


def signed_with(certificate: x509.Certificate) -> str:
    """The algorithm of the signature on it, for example `ecdsa-with-SHA384`."""
    name = certificate.signature_algorithm_oid._name
    return name if name != "Unknown OID" else certificate.signature_algorithm_oid.dotted_string


def _hash_name(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm is not None else ""


def _name(name: x509.Name) -> str:
    return name.rfc4514_string() or "(no name)"
