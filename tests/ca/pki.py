"""Roots, intermediates and servers' certificates, made at will, also wrong ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOUR = dt.timedelta(hours=1)
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def make(
    name: str,
    issuer: Pair | None = None,
    *,
    path_length: int | None = None,
    sans: tuple[str, ...] = (),
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    public_key: Any = None,
) -> Pair:
    """A certificate: a CA's with a path length, a server's without; of somebody else's `public_key`, if it is given."""
    now = dt.datetime.now(dt.UTC)
    key = key or ec.generate_private_key(ec.SECP384R1() if path_length is not None else ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(public_key or key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start or now - HOUR)
        .not_valid_after(end or now + YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key or key.public_key()), critical=False)
    )
    signer = issuer.key if issuer else key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if path_length is not None:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(x509.BasicConstraints(True, path_length), critical=True)
        builder = builder.add_extension(usage, critical=True)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in sans]), critical=False)
    return Pair(builder.sign(signer, hashes.SHA256()), key)


def make_root(name: str = "Test Root CA") -> Pair:
    return make(name, path_length=1)


def make_intermediate(root: Pair, name: str = "Test Intermediate CA") -> Pair:
    return make(name, root, path_length=0)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
