"""The attributes of a token's objects as plain records (PKCS#11 v2.40 §4)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from checks.hsm.cryptoki import Cryptoki
from checks.hsm.cryptoki_names import KEY_TYPES, OBJECT_CLASSES
from checks.hsm.cryptoki_objects import attributes
from checks.hsm.records import ObjectRecord

CLASS: Final = 0x000
ID: Final = 0x102
_LABEL: Final = 0x003
_KEY_TYPE: Final = 0x100

_EC_PARAMS, _EC_POINT, _MODULUS, _PUBLIC_EXPONENT = 0x180, 0x181, 0x120, 0x122
_BYTES: Final = {
    _EC_PARAMS: "ec_params",
    _EC_POINT: "ec_point",
    _MODULUS: "modulus",
    _PUBLIC_EXPONENT: "public_exponent",
}
_LOCAL: Final = 0x163
_BOOLEANS: Final = {
    0x103: "sensitive",
    0x162: "extractable",
    0x165: "always_sensitive",
    0x164: "never_extractable",
    _LOCAL: "local",
}
_ALL: Final = (CLASS, ID, _LABEL, _KEY_TYPE, *_BYTES, *_BOOLEANS)
_OF_CLASS: Final = {
    "CKO_PUBLIC_KEY": frozenset({_KEY_TYPE, *_BYTES, _LOCAL}),
    "CKO_PRIVATE_KEY": frozenset({_KEY_TYPE, *_BYTES, *_BOOLEANS}) - {_EC_POINT},
    "CKO_SECRET_KEY": frozenset({_KEY_TYPE, *_BOOLEANS}),
}
"""The attributes that mean something for each class of key, beside class, id and label; modules tell more."""

CLASS_NUMBERS: Final = {name: number for number, name in OBJECT_CLASSES.items()}


def record_of(module: Cryptoki, session: int, handle: int) -> ObjectRecord:
    """The object's record, by one question to the token. Raises CryptokiError."""
    read = attributes(module, session, handle, _ALL)
    object_class = _name(OBJECT_CLASSES, read.get(CLASS), "CKO_")
    meant = _OF_CLASS.get(object_class, frozenset())
    more = {kind: value for kind, value in read.items() if kind in meant}
    return ObjectRecord(
        object_class=object_class,
        id=read.get(ID, b""),
        label=read.get(_LABEL, b"").decode(errors="replace"),
        key_type=_name(KEY_TYPES, read.get(_KEY_TYPE), "CKK_") if meant else None,
        **_values(more),
    )


def number(value: int) -> bytes:
    """CK_ULONG as an attribute has it."""
    return value.to_bytes(_WORD, sys.byteorder)


_WORD: Final = 8 if sys.maxsize > 2**32 else 4


def _values(read: Mapping[int, bytes]) -> dict[str, Any]:
    values: dict[str, Any] = {name: read[kind] for kind, name in _BYTES.items() if read.get(kind)}
    return values | {name: any(read[kind]) for kind, name in _BOOLEANS.items() if kind in read}


def _name(names: Mapping[int, str], value: bytes | None, prefix: str) -> str:
    if value is None:
        return f"{prefix}UNKNOWN"
    found = int.from_bytes(value, sys.byteorder)
    return names.get(found, f"{prefix}0x{found:x}")
