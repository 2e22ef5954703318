"""Objects of a session: finding them, reading their attributes, and signing with one (PKCS#11 v2.40 §5.7, §5.11)."""

from __future__ import annotations

import ctypes as c
from collections.abc import Mapping, Sequence
from typing import Final

from checks.hsm import cryptoki_structs as structs
from checks.hsm.cryptoki import Cryptoki, CryptokiError
from checks.hsm.cryptoki_names import return_code

_AT_ONCE: Final = 64
"""Objects asked for by one C_FindObjects."""

_ROOM: Final = 1021
"""Bytes for each attribute at the first question: more than any of those read here has on the tokens known.

A value of just this length is asked for once more, for this is also what an attribute looks like that the module
did not get to.
"""

_MOST: Final = 65_536
_SIGNATURE_ROOM: Final = 2048
"""Bytes; more than RSA of any usual size gives, so the length need not be asked for first."""

_NONE: Final = c.c_ulong(-1).value
"""CK_UNAVAILABLE_INFORMATION as the length of a value that is not given."""

_PARTIAL: Final = frozenset({"CKR_ATTRIBUTE_SENSITIVE", "CKR_ATTRIBUTE_TYPE_INVALID", "CKR_BUFFER_TOO_SMALL"})
"""C_GetAttributeValue gives these and the other attributes all the same (§5.7)."""

_NOT_GIVEN: Final = frozenset({"CKR_ATTRIBUTE_SENSITIVE", "CKR_ATTRIBUTE_TYPE_INVALID", "CKR_ATTRIBUTE_VALUE_INVALID"})
"""Said of one attribute: the object does not have it or does not give it."""


def find(module: Cryptoki, session: int, template: Mapping[int, bytes]) -> list[int]:
    """The handles of the objects whose attributes (by number) have those values."""
    values = [c.create_string_buffer(value, len(value)) for value in template.values()]
    wanted = (structs.Attribute * len(template))(
        *(structs.Attribute(kind, c.addressof(value), len(value)) for kind, value in zip(template, values, strict=True))
    )
    module.call("C_FindObjectsInit", session, c.addressof(wanted), len(wanted))
    found: list[int] = []
    handles, count = (c.c_ulong * _AT_ONCE)(), c.c_ulong()
    try:
        while True:  # only an answer of none says that there are no more
            module.call("C_FindObjects", session, c.addressof(handles), _AT_ONCE, c.addressof(count))
            if not count.value:
                return found
            found += handles[: count.value]
    finally:
        module.ask("C_FindObjectsFinal", session)


def attributes(module: Cryptoki, session: int, handle: int, kinds: Sequence[int]) -> dict[int, bytes]:
    """The values that the object has and gives, all asked for at once where the module answers that."""
    given, unsure = _at_once(module, session, handle, kinds)
    for kind in unsure:
        value = _alone(module, session, handle, kind)
        if value is not None:
            given[kind] = value
    return given


def sign(module: Cryptoki, session: int, key: int, mechanism: int, data: bytes) -> bytes:
    """C_SignInit with a mechanism that takes no parameter, and C_Sign."""
    how = structs.Mechanism(mechanism, None, 0)
    module.call("C_SignInit", session, c.addressof(how), key)
    room, length = c.create_string_buffer(_SIGNATURE_ROOM), c.c_ulong(_SIGNATURE_ROOM)
    message = c.create_string_buffer(data, max(len(data), 1))
    module.call("C_Sign", session, c.addressof(message), len(data), c.addressof(room), c.addressof(length))
    return room.raw[: length.value]


def _at_once(
    module: Cryptoki, session: int, handle: int, kinds: Sequence[int]
) -> tuple[dict[int, bytes], Sequence[int]]:
    """What came, and the attributes of which nothing is known yet."""
    rooms = [c.create_string_buffer(_ROOM) for _ in kinds]
    asked = (structs.Attribute * len(kinds))(
        *(structs.Attribute(kind, c.addressof(room), _ROOM) for kind, room in zip(kinds, rooms, strict=True))
    )
    code = return_code(module.ask("C_GetAttributeValue", session, handle, c.addressof(asked), len(asked)))
    if code != "CKR_OK" and code not in _PARTIAL:
        if code in _NOT_GIVEN:
            return {}, kinds
        raise CryptokiError(code)
    lengths = {item.type: item.length for item in asked}
    given = {kind: room.raw[: lengths[kind]] for kind, room in zip(kinds, rooms, strict=True) if lengths[kind] < _ROOM}
    cut = code == "CKR_BUFFER_TOO_SMALL"
    return given, [kind for kind in kinds if kind not in given and (cut or lengths[kind] != _NONE)]


def _alone(module: Cryptoki, session: int, handle: int, kind: int) -> bytes | None:
    """One attribute: its length, then its value; None where it is not given."""
    asked = structs.Attribute(kind, None, 0)
    for _ in ("length", "value"):
        code = return_code(module.ask("C_GetAttributeValue", session, handle, c.addressof(asked), 1))
        if code in _NOT_GIVEN or asked.length == _NONE:
            return None
        if code != "CKR_OK" or asked.length > _MOST:
            raise CryptokiError("CKR_HOST_MEMORY" if code == "CKR_OK" else code)
        if not asked.value:
            room = c.create_string_buffer(max(asked.length, 1))
            asked.value = c.addressof(room)
    return room.raw[: asked.length]
