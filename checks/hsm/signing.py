"""How a test signature is asked of a token and verified without it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.hsm.errors import MechanismMissing, WrongKeyType

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey = EllipticCurvePublicKey | RSAPublicKey

_HASHES: Final = ("SHA256", "SHA384", "SHA512")

_DIGEST_INFO: Final = {
    "SHA256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "SHA384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "SHA512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""DER of DigestInfo before the digest (RFC 8017 §9.2, note 1)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent to the token for one signature."""

    mechanism: str
    """`CKM_ECDSA` and so on."""
    hash_name: str
    """`SHA384` and so on."""
    in_software: bool
    """Whether we hash and the token signs the digest."""
    prefix: bytes = b""
    truncate: int | None = None
    """Bytes of the digest that a raw ECDSA mechanism takes (FIPS 186-5 §6.4.1); None: all."""

    @property
    def hashed_by(self) -> str:
        return f"software ({self.hash_name[:3]}-{self.hash_name[3:]})" if self.in_software else "token"

    def message(self, statement: bytes) -> bytes:
        """The bytes for the token."""
        if not self.in_software:
            return statement
        return self.prefix + hashlib.new(self.hash_name, statement).digest()[: self.truncate]


def plan(key: PublicKey, offered: frozenset[str], requested: str = "") -> Plan:
    """The mechanism for this key among those the token offers, hashing in software where it offers only the raw one.

    `requested` is a name such as `ECDSA-SHA384` or `CKM_ECDSA_SHA384`; empty: the hash that suits the key's size.
    Raises MechanismMissing, and WrongKeyType where the request is for another kind of key.
    """
    from cryptography.hazmat.primitives.asymmetric import ec

    elliptic = isinstance(key, ec.EllipticCurvePublicKey)
    hash_name = _requested_hash(requested, elliptic=elliptic) if requested else ""
    chosen = hash_name or _suitable(key)
    whole = f"CKM_ECDSA_{chosen}" if elliptic else f"CKM_{chosen}_RSA_PKCS"
    raw = "CKM_ECDSA" if elliptic else "CKM_RSA_PKCS"
    if whole in offered and (hash_name or not requested):
        return Plan(whole, chosen, in_software=False)
    if raw not in offered:
        raise MechanismMissing(f"the token offers neither {whole} nor {raw}")
    if elliptic:
        return Plan(raw, chosen, in_software=True, truncate=order_bytes(key))
    return Plan(raw, chosen, in_software=True, prefix=_DIGEST_INFO[chosen])


def order_bytes(key: PublicKey) -> int:
    """Bytes of the order of the curve (as long as its field for every curve here); half an ECDSA signature."""
    return (key.key_size + 7) // 8


def signature_length(key: PublicKey) -> int:
    """Bytes of a signature: r‖s for ECDSA, the modulus for RSA."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return 2 * order_bytes(key) if isinstance(key, ec.EllipticCurvePublicKey) else order_bytes(key)


def verify(key: object, how: Plan, signature: bytes, statement: bytes) -> bool:
    """Verify in software; a key of another kind, or a signature of another length, verifies nothing."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    algorithm = _algorithm(how.hash_name)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and "ECDSA" in how.mechanism:
            half = order_bytes(key)
            if len(signature) != 2 * half:
                return False
            r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
            key.verify(encode_dss_signature(r, s), statement, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and "RSA_PKCS" in how.mechanism:
            key.verify(signature, statement, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _requested_hash(requested: str, *, elliptic: bool) -> str:
    """The hash that the mechanism names; empty for a raw one."""
    wanted = requested.upper().replace("-", "_").removeprefix("CKM_")
    if ("ECDSA" in wanted) != elliptic:
        raise WrongKeyType(f"the key is {'an EC' if elliptic else 'an RSA'} key; `{requested}` is for another kind")
    names = {"ECDSA" if elliptic else "RSA_PKCS": ""}
    names |= {f"ECDSA_{name}" if elliptic else f"{name}_RSA_PKCS": name for name in _HASHES}
    if wanted not in names:
        listed = ", ".join(name.replace("_", "-") for name in names)
        raise MechanismMissing(f"`{requested}` is no signature mechanism this program can verify ({listed})")
    return names[wanted]


def _suitable(key: PublicKey) -> str:
    """The hash whose strength is the key's (SP 800-57 part 1, table 3); SHA-256 for RSA."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size <= 256:
        return "SHA256"
    return "SHA384" if key.key_size <= 384 else "SHA512"


def _algorithm(name: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}[name]
