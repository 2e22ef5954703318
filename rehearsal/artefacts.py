"""What a ceremony exports: root and intermediate certificate, two SSH CA keys, the root's fingerprint.

The root key lives in memory while the two certificates are made, and nowhere else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

INTERMEDIATE, SSH_USER, SSH_HOST = "01", "02", "03"
"""CKA_ID of the three keys (playbook §A3)."""

KEY_LABELS = {INTERMEDIATE: "intermediate", SSH_USER: "ssh user CA", SSH_HOST: "ssh host CA"}

_ROOT_YEARS, _INTERMEDIATE_YEARS = 20, 10
_ORGANISATION = "Rehearsal, not a real CA"


@dataclass(frozen=True, slots=True)
class Export:
    """The folder that stands for the export stick."""

    folder: Path
    root_fingerprint: str
    """SHA-256 of the root certificate's DER encoding, 64 hex digits in lower case."""


def software_points() -> dict[str, bytes]:
    """Public points of three fresh keys of which nobody has the private part, as on a token that is elsewhere."""
    return {key_id: _point(ec.generate_private_key(ec.SECP384R1()).public_key()) for key_id in KEY_LABELS}


def write_export(folder: Path, points: dict[str, bytes]) -> Export:
    """The ceremony's five files (playbook §0) over these public points (CKA_ID in hex → SEC 1 uncompressed)."""
    folder.mkdir(mode=0o700)
    keys = {key_id: ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), raw) for key_id, raw in points.items()}
    root_key = ec.generate_private_key(ec.SECP384R1())
    root = _certificate("CCAT Observatory Root CA", root_key.public_key(), root_key, None)
    intermediate = _certificate("CCAT Observatory Intermediate CA", keys[INTERMEDIATE], root_key, root)
    (folder / "root_ca.crt").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "intermediate_ca.crt").write_bytes(intermediate.public_bytes(Encoding.PEM))
    for name, key_id in (("ssh_user_ca.pub", SSH_USER), ("ssh_host_ca.pub", SSH_HOST)):
        line = keys[key_id].public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        (folder / name).write_bytes(line + f" {KEY_LABELS[key_id]} (rehearsal)\n".encode())
    fingerprint = root.fingerprint(hashes.SHA256()).hex()
    (folder / "FINGERPRINT.txt").write_text(f"root_ca.crt SHA-256\n{fingerprint}\n")
    return Export(folder, fingerprint)


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    root_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    """A CA certificate signed by the root key; self-signed where there is no issuer (RFC 5280 §4.2.1)."""
    subject = _name(name)
    now = dt.datetime.now(dt.UTC)
    years = _INTERMEDIATE_YEARS if issuer else _ROOT_YEARS
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0 if issuer else 1), critical=True)
        .add_extension(certificate_signing(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if issuer:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = builder.add_extension(authority, critical=False)
    return builder.sign(root_key, hashes.SHA384())


def certificate_signing() -> x509.KeyUsage:
    """The key usage of a CA's certificate (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
