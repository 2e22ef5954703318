"""PKCS#15 descriptions of the card and of its keys (ISO 7816-15 §8), as OpenSC writes and reads them."""

from __future__ import annotations

from asn1crypto import core

from rehearsal.card import tlv

_EC_KEY = 0xA0
_TYPE_ATTRIBUTES = 0xA1
_LABEL = 0x80


def _bits(*numbers: int) -> bytes:
    """A named bit list: bit 0 is the first, zeros at the end are left out (X.690 §11.2.2)."""
    flags = tuple(int(number in numbers) for number in range(max(numbers) + 1))
    encoded: bytes = core.BitString(flags).dump()
    return encoded


_USAGE = _bits(2, 3, 8)  # sign, sign with recovery, derive
_ACCESS = _bits(0, 2, 3, 4)  # sensitive, always sensitive, never extractable, local
_PRIVATE = _bits(0, 1)  # private, modifiable
_TOKEN_FLAGS = _bits(2)  # can make random numbers


def token_info(label: str) -> bytes:
    """EF.TokenInfo with this label (UTF-8)."""
    return tlv.encode(0x30, _integer(0), tlv.encode(_LABEL, label.encode()), _TOKEN_FLAGS)


def label_of(encoded: bytes | None) -> str | None:
    """The label in EF.TokenInfo, or None."""
    try:
        value = tlv.find(tlv.find(encoded or b"", 0x30) or b"", _LABEL)
    except tlv.MalformedTlv:
        return None
    return value.decode("utf-8", "replace") if value is not None else None


def ec_private_key(label: str, identifier: bytes, reference: int, bits: int) -> bytes:
    """A private key description (PRKD): `identifier` is CKA_ID, `bits` the size of the field."""
    common = tlv.encode(0x30, tlv.encode(0x0C, label.encode()), _PRIVATE)
    attributes = tlv.encode(0x30, tlv.encode(0x04, identifier), _USAGE, _ACCESS, _integer(reference))
    path = tlv.encode(0x30, tlv.encode(0x04, b""))
    kind = tlv.encode(_TYPE_ATTRIBUTES, tlv.encode(0x30, path, _integer(bits)))
    return tlv.encode(_EC_KEY, common, attributes, kind)


def _integer(value: int) -> bytes:
    encoded: bytes = core.Integer(value).dump()
    return encoded
