"""The attributes of a token's objects as plain records (PKCS#11 v2.40 §4), read through python-pkcs11."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

from pkcs11 import Attribute
from pkcs11.attributes import AttributeMapper
from pkcs11.exceptions import PKCS11Error

from checks.hsm.cryptoki_names import KEY_TYPES, OBJECT_CLASSES, exception_code
from checks.hsm.records import ObjectRecord

_BYTES: Final = {
    Attribute.EC_PARAMS: "ec_params",
    Attribute.EC_POINT: "ec_point",
    Attribute.MODULUS: "modulus",
    Attribute.PUBLIC_EXPONENT: "public_exponent",
}
_BOOLEANS: Final = {
    Attribute.SENSITIVE: "sensitive",
    Attribute.EXTRACTABLE: "extractable",
    Attribute.ALWAYS_SENSITIVE: "always_sensitive",
    Attribute.NEVER_EXTRACTABLE: "never_extractable",
    Attribute.LOCAL: "local",
}
_WANTED: Final = {
    "CKO_PUBLIC_KEY": (*_BYTES, Attribute.LOCAL),
    "CKO_PRIVATE_KEY": (Attribute.EC_PARAMS, Attribute.MODULUS, Attribute.PUBLIC_EXPONENT, *_BOOLEANS),
    "CKO_SECRET_KEY": tuple(_BOOLEANS),
}
"""The attributes read from each class of key, beside class, id, label and key type."""

_NUMBERS: Final = (Attribute.CLASS, Attribute.KEY_TYPE)
_AS_THEY_ARE: Final = (Attribute.ID, Attribute.LABEL, *_BYTES)

_NOT_GIVEN: Final = frozenset(
    {
        "CKR_ATTRIBUTE_SENSITIVE",
        "CKR_ATTRIBUTE_TYPE_INVALID",
        "CKR_ATTRIBUTE_VALUE_INVALID",
        "CKR_FUNCTION_FAILED",
    }
)
"""The object does not have the attribute or does not give it; python-pkcs11 makes up the last one itself."""


class PlainValues(AttributeMapper):
    """Numbers, truth values and bytes, whatever the token says: a value unknown to python-pkcs11 is no error."""

    def unpack_attributes(self, key: Attribute, value: bytes) -> int | bool | bytes:
        if key in _NUMBERS:
            return int.from_bytes(value, sys.byteorder)
        return value if key in _AS_THEY_ARE else any(value)


def record_of(item: Any) -> ObjectRecord:
    """The object's record. Raises PKCS11Error where the token fails, not where it has no such attribute."""
    read = _read(item, (Attribute.CLASS, Attribute.ID, Attribute.LABEL))
    object_class = _name(OBJECT_CLASSES, read.get(Attribute.CLASS), "CKO_")
    wanted = _WANTED.get(object_class, ())
    more = _read(item, (Attribute.KEY_TYPE, *wanted)) if wanted else {}
    values = {_BYTES[kind]: value for kind, value in more.items() if kind in _BYTES and value}
    values |= {_BOOLEANS[kind]: value for kind, value in more.items() if kind in _BOOLEANS}
    return ObjectRecord(
        object_class=object_class,
        id=read.get(Attribute.ID, b""),
        label=read.get(Attribute.LABEL, b"").decode(errors="replace"),
        key_type=_name(KEY_TYPES, more.get(Attribute.KEY_TYPE), "CKK_") if wanted else None,
        **values,
    )


def _read(item: Any, kinds: Sequence[Attribute]) -> dict[Attribute, Any]:
    """The attributes the object has and gives; a module that answers nothing at once is asked one by one."""
    try:
        return {Attribute(kind): value for kind, value in item.get_attributes(kinds).items()}
    except PKCS11Error as error:
        if exception_code(error) not in _NOT_GIVEN:
            raise
        if len(kinds) == 1:
            return {}
        found: dict[Attribute, Any] = {}
        for kind in kinds:
            found |= _read(item, [kind])
        return found


def _name(names: dict[int, str], number: int | None, prefix: str) -> str:
    return f"{prefix}UNKNOWN" if number is None else names.get(number, f"{prefix}0x{number:x}")
