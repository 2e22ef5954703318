"""Public keys out of artefacts: certificates, SubjectPublicKeyInfo, OpenSSH lines."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from checks.artefacts.formats import Format, Identified, identify
from checks.artefacts.openssh import load_openssh
from checks.artefacts.symptoms import WrongArtefact, refusal
from checks.curves import usual_name
from checks.files.reading import read_file

CERTIFICATES = (Format.CERTIFICATE_PEM, Format.CERTIFICATE_DER)
BARE_KEYS = (Format.SPKI_PEM, Format.SPKI_DER, Format.RSA_PUBLIC_PEM, Format.RSA_PUBLIC_DER)
HOLD_A_KEY = (*CERTIFICATES, *BARE_KEYS, Format.OPENSSH_PUBLIC)
"""Formats that hold exactly one public key."""

_UNDECODABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for bytes that are no certificate or key after all."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that holds one public key."""

    path: Path
    format: Format
    public_key: PublicKeyTypes
    certificate: x509.Certificate | None = None
    comment: str = ""
    """Of an OpenSSH key; foreign text."""


async def load_artefact(path: Path, expected: tuple[Format, ...] = HOLD_A_KEY) -> Artefact:
    """The artefact at `path`; read in a thread, at most 1 MiB, within 10 seconds.

    Raises FileProblem where it cannot be read, WrongArtefact where it is something else than `expected`, or damaged.
    """
    return parse_artefact(await read_file(path), path, expected)


def parse_artefact(data: bytes, path: Path, expected: tuple[Format, ...] = HOLD_A_KEY) -> Artefact:
    """The artefact in `data`; `path` is for the messages. Raises WrongArtefact."""
    found = identify(data)
    if found.private or found.format not in expected:
        raise refusal(found, expected, where=str(path))
    try:
        # What the library finds odd without refusing it, it says on standard error, which belongs to the screen.
        with warnings.catch_warnings(action="ignore"):
            return _parse(data, path, found)
    except _UNDECODABLE as error:
        raise WrongArtefact(
            f"it looks like {found.format}, but is damaged: {error}",
            where=str(path),
            remedy="Copy it again from where it was made.",
            symptom="damaged file",
        ) from None


async def load_certificate(path: Path) -> x509.Certificate:
    """The certificate (PEM or DER) at `path`; raises as `load_artefact` does."""
    return parse_certificate(await read_file(path), path)


def parse_certificate(data: bytes, path: Path) -> x509.Certificate:
    """The certificate (PEM or DER) in `data`; `path` is for the messages. Raises WrongArtefact."""
    certificate = parse_artefact(data, path, CERTIFICATES).certificate
    assert certificate is not None  # noqa: S101 - that is what CERTIFICATES means
    return certificate


def _parse(data: bytes, path: Path, found: Identified) -> Artefact:
    match found.format:
        case Format.OPENSSH_PUBLIC:
            line = load_openssh(data)
            return Artefact(path, found.format, line.public_key, comment=line.comment)
        case Format.CERTIFICATE_PEM | Format.CERTIFICATE_DER:
            pem = found.format is Format.CERTIFICATE_PEM
            certificate = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
            _read_fully(certificate)
            return Artefact(path, found.format, certificate.public_key(), certificate)
        case Format.SPKI_PEM | Format.RSA_PUBLIC_PEM:
            return Artefact(path, found.format, load_pem_public_key(data))
        case _:
            return Artefact(path, found.format, load_der_public_key(data))


def _read_fully(certificate: x509.Certificate) -> None:
    """Fields are decoded when they are first read; what cannot be decoded shows itself here, as ValueError."""
    for field in ("subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc", "serial_number"):
        getattr(certificate, field)


def key_type(key: PublicKeyTypes) -> str:
    """A name a person knows: `EC P-384`, `RSA 2048`, `Ed25519`."""
    match key:
        case ec.EllipticCurvePublicKey():
            return f"EC {usual_name(key.curve.name)}"
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case dsa.DSAPublicKey():
            return f"DSA {key.key_size}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case ed448.Ed448PublicKey():
            return "Ed448"
        case _:
            return type(key).__name__.lstrip("_").removesuffix("PublicKey")


def weaknesses(key: PublicKeyTypes) -> list[str]:
    """What is too weak about a key for a certificate authority, in words (NIST SP 800-57 part 1, §5.6.1)."""
    match key:
        case rsa.RSAPublicKey() if key.key_size < 2048:
            return [f"an RSA key of {key.key_size} bits is too short"]
        case ec.EllipticCurvePublicKey() if key.curve.key_size < 256:
            return [f"a curve of {key.curve.key_size} bits is too small"]
        case dsa.DSAPublicKey():
            return ["DSA keys are no longer accepted by current software"]
        case _:
            return []
