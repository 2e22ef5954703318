"""Public keys from a token's objects, as `cryptography` knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.curves import usual_name
from checks.hsm.errors import WrongKeyType
from checks.hsm.records import ObjectRecord

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A public key read from a token."""

    public_key: EllipticCurvePublicKey | RSAPublicKey
    key_type: str
    """For example `EC P-384` or `RSA 2048`."""
    key_id: str
    """CKA_ID in lower-case hex."""
    label: str


def public_key_from_object(record: ObjectRecord) -> EllipticCurvePublicKey | RSAPublicKey:
    """The key in CKA_EC_PARAMS and CKA_EC_POINT, or in CKA_MODULUS and CKA_PUBLIC_EXPONENT (PKCS#11 v2.40 §2.3, §2.1).

    Raises WrongKeyType where the object holds no such key, or one that is not on its curve.
    """
    if record.key_type == "CKK_EC" and record.ec_params and record.ec_point:
        return _ec_key(record, record.ec_params, record.ec_point)
    if record.key_type == "CKK_RSA" and record.modulus and record.public_exponent:
        return _rsa_key(record, record.modulus, record.public_exponent)
    raise WrongKeyType(f"{_name(record)} holds no EC or RSA public key ({record.key_type or record.object_class})")


def key_type_of(record: ObjectRecord) -> str:
    """What a person calls the key's type: `EC P-384`, `RSA 2048`; the CKK_ name for other kinds, empty for none."""
    if record.key_type == "CKK_EC" and record.ec_params:
        return f"EC {_curve_name(record.ec_params)}"
    if record.key_type == "CKK_RSA" and record.modulus:
        return f"RSA {int.from_bytes(record.modulus).bit_length()}"
    return record.key_type or ""


def _ec_key(record: ObjectRecord, params: bytes, point: bytes) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    for encoded in _points(point):
        try:
            key = load_der_public_key(_spki(params, encoded))
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, ec.EllipticCurvePublicKey):
            return key
    raise WrongKeyType(f"the public point of {_name(record)} is not on its curve, or the curve is unknown")


def _points(point: bytes) -> list[bytes]:
    """The point inside its DER OCTET STRING, or, as some tokens give it, the bare point; both begin with 04."""
    from asn1crypto.core import OctetString

    try:
        return [OctetString.load(point, strict=True).native, point]
    except ValueError:
        return [point]


def _spki(params: bytes, point: bytes) -> bytes:
    """SubjectPublicKeyInfo (RFC 5480 §2) of an EC key."""
    from asn1crypto.core import BitString, ObjectIdentifier, Sequence

    def sequence(*parts: bytes) -> bytes:
        return bytes(Sequence(contents=b"".join(parts)).dump())

    bits = BitString(contents=b"\0" + point).dump()
    return sequence(sequence(ObjectIdentifier("1.2.840.10045.2.1").dump(), params), bits)


def _curve_name(params: bytes) -> str:
    """The curve's usual name, its OID where it has none here, `explicit` for curves spelled out in numbers."""
    from asn1crypto.keys import ECDomainParameters

    try:
        domain = ECDomainParameters.load(params, strict=True)
        name = str(domain.chosen.native) if domain.name == "named" else "explicit"
    except (ValueError, TypeError):
        return "unknown curve"
    return usual_name(name)


def _rsa_key(record: ObjectRecord, modulus: bytes, exponent: bytes) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    try:
        return RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()
    except ValueError as error:
        raise WrongKeyType(f"{_name(record)} is not a usable RSA key: {error}") from None


def _name(record: ObjectRecord) -> str:
    return f"key {record.id.hex()}"
