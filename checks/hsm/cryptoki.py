"""The few PKCS#11 calls a worker makes (PKCS#11 v2.40 §5), through ctypes.

python-pkcs11 is not enough for them: it keeps PINs in immutable strings, logs in only while it opens a session and
leaks that session when the PIN is wrong, does not pass on the PIN length limits, and hides its function list, so that
nothing can be added beside it (p11-kit's client module makes a fresh, uninitialised list for whoever asks again).
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Mapping, Sequence
from typing import Final

from checks.hsm import cryptoki_names as names
from checks.hsm import cryptoki_structs as structs
from checks.hsm.wire import Ready, SlotRecord, TokenRecord

_UNAVAILABLE: Final = (c.c_ulong(-1).value, 0xFFFFFFFF)
"""CK_UNAVAILABLE_INFORMATION, also as modules built for 32 bits give it."""

_CKU_USER: Final = 1
_CKF_SERIAL_SESSION: Final = 4
_CKR_ATTRIBUTE_SENSITIVE: Final = 0x11
_CKR_ATTRIBUTE_TYPE_INVALID: Final = 0x12
_CKR_BUFFER_TOO_SMALL: Final = 0x150
_SIGNATURE_ROOM: Final = 1024
"""Bytes; an RSA key of 8192 bits signs as many."""
_MAX_ATTRIBUTE: Final = 1024 * 1024
_BATCH: Final = 64
_MAX_OBJECTS: Final = 10_000

_ulong = c.c_ulong


_FUNCTIONS: Final = {
    "C_Initialize": 0,
    "C_GetInfo": 2,
    "C_GetSlotList": 4,
    "C_GetSlotInfo": 5,
    "C_GetTokenInfo": 6,
    "C_GetMechanismList": 7,
    "C_OpenSession": 12,
    "C_CloseSession": 13,
    "C_Login": 18,
    "C_Logout": 19,
    "C_GetAttributeValue": 24,
    "C_FindObjectsInit": 26,
    "C_FindObjects": 27,
    "C_FindObjectsFinal": 28,
    "C_SignInit": 42,
    "C_Sign": 43,
}
"""Places in CK_FUNCTION_LIST; the order is part of the standard."""


class CryptokiError(Exception):
    """A return code that is not CKR_OK, by name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotAModule(Exception):
    """The file is no shared library, or has no C_GetFunctionList; the text says which."""


class Cryptoki:
    """A module, loaded and initialised. Every method raises CryptokiError; one thread only."""

    def __init__(self, path: str) -> None:
        try:
            library = c.CDLL(path)
            get_function_list = library.C_GetFunctionList
        except (OSError, AttributeError) as error:
            raise NotAModule(str(error)) from None
        table = c.POINTER(structs.FunctionList)()
        get_function_list.restype = _ulong
        _check(get_function_list(c.byref(table)))
        if not c.cast(table, c.c_void_p).value:
            raise NotAModule("C_GetFunctionList gives no list")
        word = c.CFUNCTYPE(_ulong, *[c.c_void_p] * 6)
        # Every argument is a machine word; a function takes as many of the six as it has.
        self._functions = {name: word(table.contents.functions[place] or 0) for name, place in _FUNCTIONS.items()}
        self._call("C_Initialize")

    def _raw(self, name: str, *arguments: int | None) -> int:
        code: int = self._functions[name](*arguments, *[None] * (6 - len(arguments)))
        return code

    def _call(self, name: str, *arguments: int | None) -> None:
        _check(self._raw(name, *arguments))

    # -- module, slots, tokens (§5.4, §5.5) ---------------------------------------------------------------------

    def info(self) -> Ready:
        """CK_INFO."""
        info = structs.Info()
        self._call("C_GetInfo", c.addressof(info))
        return Ready(_text(info.manufacturer), _text(info.description), _version(info.version))

    def slot_ids(self) -> list[int]:
        """All slots, with and without a token; asking makes the module look for new ones."""
        return self._numbers("C_GetSlotList", 0)

    def slot_info(self, slot_id: int) -> SlotRecord:
        """CK_SLOT_INFO, and the token in the slot."""
        info = structs.SlotInfo()
        self._call("C_GetSlotInfo", slot_id, c.addressof(info))
        token, trouble = None, ""
        try:
            token = self.token_info(slot_id)
        except CryptokiError as error:
            trouble = "" if error.code == "CKR_TOKEN_NOT_PRESENT" else error.code
        return SlotRecord(
            slot_id=slot_id,
            description=_text(info.description),
            manufacturer=_text(info.manufacturer),
            flags=names.slot_flags(info.flags),
            hardware_version=_version(info.hardware_version),
            firmware_version=_version(info.firmware_version),
            token=token,
            trouble=trouble,
        )

    def token_info(self, slot_id: int) -> TokenRecord:
        """CK_TOKEN_INFO, read afresh."""
        info = structs.TokenInfo()
        self._call("C_GetTokenInfo", slot_id, c.addressof(info))
        flags = names.token_flags(info.flags)
        return TokenRecord(
            label=_text(info.label),
            manufacturer=_text(info.manufacturer),
            model=_text(info.model),
            serial=_text(info.serial),
            flags=flags,
            min_pin=info.min_pin,
            max_pin=info.max_pin,
            hardware_version=_version(info.hardware_version),
            firmware_version=_version(info.firmware_version),
            sessions=_known(info.sessions),
            max_sessions=_known(info.max_sessions),
            rw_sessions=_known(info.rw_sessions),
            max_rw_sessions=_known(info.max_rw_sessions),
            total_public_memory=_known(info.total_public_memory),
            free_public_memory=_known(info.free_public_memory),
            total_private_memory=_known(info.total_private_memory),
            free_private_memory=_known(info.free_private_memory),
            utc_time=_text(info.utc_time) if "CKF_CLOCK_ON_TOKEN" in flags else "",
        )

    def mechanisms(self, slot_id: int) -> list[int]:
        """CKM_ numbers."""
        return self._numbers("C_GetMechanismList", slot_id)

    def _numbers(self, name: str, first: int) -> list[int]:
        """A list of numbers, asked for twice: how many, then which."""
        count = _ulong()
        self._call(name, first, None, c.addressof(count))
        found = (_ulong * count.value)()
        self._call(name, first, c.addressof(found), c.addressof(count))
        return found[: count.value]

    # -- sessions (§5.6) ----------------------------------------------------------------------------------------

    def open_session(self, slot_id: int) -> int:
        """A read-only session."""
        handle = _ulong()
        self._call("C_OpenSession", slot_id, _CKF_SERIAL_SESSION, None, None, c.addressof(handle))
        return handle.value

    def close_session(self, session: int) -> None:
        self._call("C_CloseSession", session)

    def login(self, session: int, pin: bytearray) -> None:
        """One attempt with the user PIN; the caller wipes the buffer."""
        view = (c.c_ubyte * len(pin)).from_buffer(pin)
        self._call("C_Login", session, _CKU_USER, c.addressof(view), len(pin))

    def logout(self, session: int) -> None:
        self._call("C_Logout", session)

    # -- objects (§5.7) -----------------------------------------------------------------------------------------

    def find(self, session: int, template: Mapping[int, bytes]) -> list[int]:
        """Handles of the objects with these attributes."""
        kept = [c.create_string_buffer(value, len(value)) for value in template.values()]
        wanted = (structs.Attribute * len(template))(
            *(
                structs.Attribute(kind, c.addressof(value), len(value))
                for kind, value in zip(template, kept, strict=True)
            )
        )
        self._call("C_FindObjectsInit", session, c.addressof(wanted), len(template))
        found: list[int] = []
        batch, count = (_ulong * _BATCH)(), _ulong()
        try:
            while len(found) < _MAX_OBJECTS:
                self._call("C_FindObjects", session, c.addressof(batch), _BATCH, c.addressof(count))
                if not count.value:
                    break
                found += batch[: count.value]
        finally:
            self._raw("C_FindObjectsFinal", session)
        return found

    def attributes(self, session: int, handle: int, kinds: Sequence[int]) -> dict[int, bytes]:
        """The attributes the object has and gives; a module that answers nothing at once is asked one by one."""
        try:
            return self._attributes(session, handle, kinds)
        except CryptokiError:
            if len(kinds) == 1:
                return {}
            found: dict[int, bytes] = {}
            for kind in kinds:
                found |= self.attributes(session, handle, [kind])
            return found

    def _attributes(self, session: int, handle: int, kinds: Sequence[int]) -> dict[int, bytes]:
        asked = (structs.Attribute * len(kinds))(*(structs.Attribute(kind, None, 0) for kind in kinds))
        code = self._raw("C_GetAttributeValue", session, handle, c.addressof(asked), len(kinds))
        if code not in (0, _CKR_ATTRIBUTE_SENSITIVE, _CKR_ATTRIBUTE_TYPE_INVALID):
            _check(code)
        lengths = {item.type: item.length for item in asked if item.length <= _MAX_ATTRIBUTE}
        if not lengths:
            return {}
        rooms = {kind: c.create_string_buffer(length or 1) for kind, length in lengths.items()}
        given = (structs.Attribute * len(lengths))(
            *(structs.Attribute(kind, c.addressof(rooms[kind]), length) for kind, length in lengths.items())
        )
        self._call("C_GetAttributeValue", session, handle, c.addressof(given), len(lengths))
        return {item.type: rooms[item.type].raw[: item.length] for item in given if item.length <= lengths[item.type]}

    # -- signing (§5.11) ----------------------------------------------------------------------------------------

    def sign(self, session: int, key: int, mechanism: int, data: bytes) -> bytes:
        """One signature with a mechanism that takes no parameter."""
        how = structs.Mechanism(mechanism, None, 0)
        self._call("C_SignInit", session, c.addressof(how), key)
        message = c.create_string_buffer(data, len(data)) if data else c.create_string_buffer(1)
        room, length = c.create_string_buffer(_SIGNATURE_ROOM), _ulong(_SIGNATURE_ROOM)
        code = self._raw("C_Sign", session, c.addressof(message), len(data), c.addressof(room), c.addressof(length))
        if code == _CKR_BUFFER_TOO_SMALL and length.value <= _MAX_ATTRIBUTE:
            room = c.create_string_buffer(length.value)
            code = self._raw("C_Sign", session, c.addressof(message), len(data), c.addressof(room), c.addressof(length))
        _check(code)
        return room.raw[: length.value]


def _check(code: int) -> None:
    if code:
        raise CryptokiError(names.return_code(code))


def _text(field: c.Array[c.c_ubyte]) -> str:
    """A field padded with blanks (or, against the standard, with zeros)."""
    return bytes(field).rstrip(b"\0").decode(errors="replace").rstrip()


def _version(version: structs.Version) -> str:
    return f"{version.major}.{version.minor}"


def _known(number: int) -> int | None:
    return None if number in _UNAVAILABLE else number
