"""Fingerprints of public keys and certificates, each in the form of the tool people check it with."""

from __future__ import annotations

import base64
import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def spki(key: PublicKeyTypes) -> bytes:
    """DER of the SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki_sha256(key: PublicKeyTypes) -> str:
    """Lower-case hex, as `openssl pkey -pubin -outform DER | sha256sum` prints it."""
    return hashlib.sha256(spki(key)).hexdigest()


def openssh_sha256(key: PublicKeyTypes) -> str | None:
    """Base64 without padding, as `ssh-keygen -l` prints it behind `SHA256:`; None where OpenSSH has no such keys."""
    try:
        line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    return base64.b64encode(digest).decode().rstrip("=")


def openssh_name(key: PublicKeyTypes) -> str:
    """Type and bits as `ssh-keygen -l` names them, for example `ECDSA 384`; empty where OpenSSH has no such keys."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() if key.curve.name in ("secp256r1", "secp384r1", "secp521r1"):
            return f"ECDSA {key.curve.key_size}"
        case ed25519.Ed25519PublicKey():
            return "ED25519 256"
        case _:
            return ""


def certificate_sha256(certificate: x509.Certificate) -> str:
    """Lower-case hex of the SHA-256 of the certificate's DER, as `step certificate fingerprint` prints it."""
    return hashlib.sha256(_der(certificate)).hexdigest()


def certificate_sha1(certificate: x509.Certificate) -> str:
    """Lower-case hex of the SHA-1 of the certificate's DER; a name for lookup, not a proof."""
    return hashlib.sha1(_der(certificate), usedforsecurity=False).hexdigest()


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
