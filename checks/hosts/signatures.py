"""Signatures of SSH keys as they stand on the wire (RFC 4253 §6.6, RFC 5656 §3.1.2, RFC 8332, RFC 8709)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.hosts.passphrases import KeyUnusable
from checks.hosts.ssh_agent import wire_string

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPrivateKeyTypes

RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")
"""In the order of preference; SHA-1 is not among them."""

CERT = "-cert-v01@openssh.com"
"""The end of a certificate's type (PROTOCOL.certkeys)."""


def algorithm_for(key_type: str, accepted: tuple[str, ...]) -> str:
    """The algorithm that a key of this type signs by, given what the host accepts (RFC 8308, server-sig-algs)."""
    if not key_type.startswith("ssh-rsa"):
        return key_type
    suffix = CERT if key_type.endswith(CERT) else ""
    chosen = next((name for name in RSA_ALGORITHMS if name in accepted or not accepted), RSA_ALGORITHMS[0])
    return chosen + suffix


def sign(key: SSHPrivateKeyTypes, data: bytes, algorithm: str) -> bytes:
    """Raises KeyUnusable for keys of a kind that SSH does not have."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    name = algorithm.removesuffix(CERT)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(data)
    elif isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(data, padding.PKCS1v15(), hashes.SHA512() if name.endswith("512") else hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        digests = {"nistp256": hashes.SHA256(), "nistp384": hashes.SHA384(), "nistp521": hashes.SHA512()}
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digests[name.rpartition("-")[2]])))
        signature = _mpint(r) + _mpint(s)
    else:
        raise KeyUnusable("keys of this kind are not used with SSH")
    return wire_string(name.encode()) + wire_string(signature)


def _mpint(number: int) -> bytes:
    """RFC 4251 §5; positive."""
    return wire_string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
