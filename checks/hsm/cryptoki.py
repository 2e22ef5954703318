"""A PKCS#11 module's functions, called through ctypes (PKCS#11 v2.40).

No binding in between: the PIN lies in one buffer that is wiped, a login that fails leaves no session behind, a
module that gives a fresh instance to whoever asks for its function list (p11-kit's client does, with a connection of
its own each time) is asked once, and nothing is asked that is not needed. For a token on another host each call is a
round trip.
"""

from __future__ import annotations

import ctypes as c
from enum import IntEnum
from typing import Final

from checks.hsm import cryptoki_names as names
from checks.hsm import cryptoki_structs as structs
from checks.hsm.records import SlotRecord, TokenRecord

_UNAVAILABLE: Final = (c.c_ulong(-1).value, 0xFFFFFFFF)
"""CK_UNAVAILABLE_INFORMATION, also as modules built for 32 bits give it."""

_CKF_DONT_BLOCK: Final = 1
_CKF_RW_SESSION: Final = 2
_CKF_SERIAL_SESSION: Final = 4
_CKR_NO_EVENT: Final = 8
_CKR_BUFFER_TOO_SMALL: Final = 0x150
_MOST_EVENTS: Final = 64
_MOST_NUMBERS: Final = 4096
_MOST_TRIES: Final = 4
_SPARE: Final = 4
"""More room than was asked for: p11-kit's client asks for the number anew where it is given room for none."""

_FUNCTIONS: Final = {
    "C_Initialize": 0,
    "C_GetInfo": 2,
    "C_GetSlotList": 4,
    "C_GetSlotInfo": 5,
    "C_GetTokenInfo": 6,
    "C_GetMechanismList": 7,
    "C_InitPIN": 10,
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
    "C_WaitForSlotEvent": 67,
}
"""Places in CK_FUNCTION_LIST; the order is part of the standard."""

_MOST_ARGUMENTS: Final = 5


class User(IntEnum):
    """CK_USER_TYPE."""

    SO = 0
    USER = 1


class CryptokiError(Exception):
    """A return code that is not CKR_OK, by name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NoModule(Exception):
    """The file is no PKCS#11 module; the text is the dynamic loader's."""


class Cryptoki:
    """An initialised module. Every method raises CryptokiError.

    Raises NoModule where the file cannot be loaded, or lacks C_GetFunctionList.
    """

    def __init__(self, module: str) -> None:
        table = c.POINTER(structs.FunctionList)()
        try:
            get = c.CDLL(module).C_GetFunctionList
        except (OSError, AttributeError) as error:
            raise NoModule(str(error)) from None
        get.restype = c.c_ulong
        _check(get(c.byref(table)))
        word = c.CFUNCTYPE(c.c_ulong, *[c.c_void_p] * _MOST_ARGUMENTS)
        # Every argument is a machine word; a function takes as many of them as it has.
        entries = {name: table.contents.functions[place] for name, place in _FUNCTIONS.items()}
        self._functions = {name: word(entry) for name, entry in entries.items() if entry}
        self.call("C_Initialize", None)

    def ask(self, name: str, *arguments: int | None) -> int:
        """The return code as a number."""
        if name not in self._functions:
            raise CryptokiError("CKR_FUNCTION_NOT_SUPPORTED")
        code: int = self._functions[name](*arguments, *[None] * (_MOST_ARGUMENTS - len(arguments)))
        return code

    def call(self, name: str, *arguments: int | None) -> None:
        _check(self.ask(name, *arguments))

    def info(self) -> tuple[str, str, str]:
        """Manufacturer, description and version of the module (§5.4, C_GetInfo)."""
        info = structs.Info()
        self.call("C_GetInfo", c.addressof(info))
        return _text(info.manufacturer), _text(info.description), _version(info.version)

    # -- slots and tokens (§5.5) --------------------------------------------------------------------------------

    def slots(self) -> list[int]:
        """The ids of all slots; asking for their number is what makes the module look for new ones."""
        return self._numbers("C_GetSlotList", 0)

    def mechanisms(self, slot_id: int) -> list[int]:
        return self._numbers("C_GetMechanismList", slot_id)

    def slot(self, slot_id: int) -> SlotRecord:
        """CK_SLOT_INFO with the token in it, both read afresh; a token that cannot be read is no error."""
        info = structs.SlotInfo()
        self.call("C_GetSlotInfo", slot_id, c.addressof(info))
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
        self.call("C_GetTokenInfo", slot_id, c.addressof(info))
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

    def slot_changed(self) -> bool:
        """Whether a token came or went since the last question; true where the module cannot tell."""
        changed, slot_id = False, c.c_ulong()
        for _ in range(_MOST_EVENTS):
            if code := self.ask("C_WaitForSlotEvent", _CKF_DONT_BLOCK, c.addressof(slot_id), None):
                return changed or code != _CKR_NO_EVENT
            changed = True
        return changed

    # -- sessions and PINs (§5.6) -------------------------------------------------------------------------------

    def open_session(self, slot_id: int, *, rw: bool = False) -> int:
        session = c.c_ulong()
        flags = _CKF_SERIAL_SESSION | (_CKF_RW_SESSION if rw else 0)
        self.call("C_OpenSession", slot_id, flags, None, None, c.addressof(session))
        return session.value

    def close_session(self, session: int) -> None:
        self.call("C_CloseSession", session)

    def login(self, session: int, pin: bytearray, user: User = User.USER) -> None:
        """One attempt; an empty PIN is asked for on the reader's own pad. The caller wipes the buffer."""
        self._with_pin("C_Login", pin, session, user)

    def init_pin(self, session: int, pin: bytearray) -> None:
        """Set the user PIN, in a read-write session of the security officer (§5.5). The caller wipes the buffer."""
        self._with_pin("C_InitPIN", pin, session)

    def logout(self, session: int) -> None:
        self.call("C_Logout", session)

    def _with_pin(self, name: str, pin: bytearray, *before: int) -> None:
        if not pin:
            self.call(name, *before, None, 0)
            return
        view = (c.c_ubyte * len(pin)).from_buffer(pin)
        self.call(name, *before, c.addressof(view), len(pin))

    def _numbers(self, name: str, first: int) -> list[int]:
        """A list of numbers: how many there are, then the list itself; again if it grew in between."""
        count = c.c_ulong()
        for _ in range(_MOST_TRIES):
            self.call(name, first, None, c.addressof(count))
            if count.value > _MOST_NUMBERS:
                raise CryptokiError("CKR_HOST_MEMORY")
            room = count.value + _SPARE
            found = (c.c_ulong * room)()
            count.value = room
            code = self.ask(name, first, c.addressof(found), c.addressof(count))
            if code != _CKR_BUFFER_TOO_SMALL:
                _check(code)
                return list(found[: count.value])
        raise CryptokiError("CKR_BUFFER_TOO_SMALL")


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
