"""Card verifiable certificates and authenticated requests (BSI TR-03110 part 3, appendices C and D).

The SmartCard-HSM names itself by one (EF.C_DevAut), and answers each key generation with a request that its
device key countersigns. Nothing in the Python world that may be used here writes them, so they are composed from
their data objects.
"""

from __future__ import annotations

from datetime import date

from asn1crypto.core import ObjectIdentifier
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from rehearsal.card import curves, keys, tlv

CERTIFICATE = 0x7F21
BODY = 0x7F4E
PROFILE = 0x5F29
AUTHORITY = 0x42
PUBLIC_KEY = 0x7F49
HOLDER = 0x5F20
SIGNATURE = 0x5F37
REQUEST = 0x67

_ROLE = 0x7F4C
_EFFECTIVE = 0x5F25
_EXPIRES = 0x5F24

ECDSA_SHA256 = "0.4.0.127.0.7.2.2.2.2.3"
RSA_SHA256 = "0.4.0.127.0.7.2.2.2.1.2"
_DEVICE_ROLE = "1.3.6.1.4.1.24991.3.1.1"


def certificate(
    key: ec.EllipticCurvePrivateKey, holder: str, issuer: ec.EllipticCurvePrivateKey, authority: str, *, role: int
) -> bytes:
    """A certificate for `key`, valid for the year 2025 and 49 more; `role` is the authorization's one byte."""
    chat = tlv.encode(_ROLE, object_identifier(_DEVICE_ROLE), tlv.encode(0x53, bytes([role])))
    validity = tlv.encode(_EFFECTIVE, _digits(date(2025, 1, 1))) + tlv.encode(_EXPIRES, _digits(date(2074, 12, 31)))
    body = tlv.encode(BODY, _named_key(key, holder, authority), chat, validity)
    return tlv.encode(CERTIFICATE, body, tlv.encode(SIGNATURE, _sign(issuer, body)))


def request(
    key: keys.PrivateKey, holder: str, authority: str, device: ec.EllipticCurvePrivateKey, device_holder: str
) -> bytes:
    """An authenticated request: signed by the new key itself, and around that by the device's key."""
    body = tlv.encode(BODY, _named_key(key, holder, authority))
    inner = tlv.encode(CERTIFICATE, body, tlv.encode(SIGNATURE, _sign(key, body)))
    outer = inner + tlv.encode(AUTHORITY, device_holder.encode())
    return tlv.encode(REQUEST, outer, tlv.encode(SIGNATURE, _sign(device, outer)))


def holder_of(encoded: bytes) -> str:
    """The certificate holder reference of the first certificate; raises tlv.MalformedTlv."""
    first = next(tlv.parse(encoded), None)
    body = tlv.find(first.value, BODY) if first and first.tag == CERTIFICATE else None
    holder = tlv.find(body, HOLDER) if body else None
    if holder is None:
        raise tlv.MalformedTlv("there is no CV certificate with a holder reference")
    return holder.decode("ascii", "replace")


def object_identifier(dotted: str) -> bytes:
    """The data object 06 of an object identifier."""
    encoded: bytes = ObjectIdentifier(dotted).dump()
    return encoded


def _named_key(key: keys.PrivateKey, holder: str, authority: str) -> bytes:
    return b"".join(
        (
            tlv.encode(PROFILE, b"\x00"),
            tlv.encode(AUTHORITY, authority.encode()),
            _public_key(key),
            tlv.encode(HOLDER, holder.encode()),
        )
    )


def _public_key(key: keys.PrivateKey) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm, domain = ECDSA_SHA256, curves.of(key.curve)
        fields: tuple[bytes, ...] = (
            domain.prime,
            domain.a,
            domain.b,
            domain.base,
            domain.order,
            keys.point(key),
            domain.cofactor,
        )
    else:
        algorithm, public = RSA_SHA256, key.public_key().public_numbers()
        fields = (public.n.to_bytes(key.key_size // 8), public.e.to_bytes((public.e.bit_length() + 7) // 8))
    numbered = (tlv.encode(0x81 + index, field) for index, field in enumerate(fields))
    return tlv.encode(PUBLIC_KEY, object_identifier(algorithm), *numbered)


def _sign(key: keys.PrivateKey, body: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = curves.of(key.curve).size
        r, s = decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)
    return key.sign(body, padding.PKCS1v15(), hashes.SHA256())


def _digits(day: date) -> bytes:
    return bytes(int(digit) for digit in day.strftime("%y%m%d"))
