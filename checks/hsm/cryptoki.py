"""The PKCS#11 calls for which python-pkcs11 is not enough, made through ctypes on the module it has loaded.

- C_GetTokenInfo: it does not pass on the PIN length limits, the session counts and the memory sizes.
- C_Login, C_InitPIN, C_Logout: it keeps PINs in immutable strings that cannot be wiped, logs in only while it opens a
  session, and leaks that session when the PIN is wrong.
- C_WaitForSlotEvent: it cannot tell of an event without failing (python-pkcs11 0.10).
"""

from __future__ import annotations

import ctypes as c
from enum import IntEnum
from typing import Final

from checks.hsm import cryptoki_names as names
from checks.hsm import cryptoki_structs as structs
from checks.hsm.records import TokenRecord

_UNAVAILABLE: Final = (c.c_ulong(-1).value, 0xFFFFFFFF)
"""CK_UNAVAILABLE_INFORMATION, also as modules built for 32 bits give it."""

_CKF_DONT_BLOCK: Final = 1
_CKR_NO_EVENT: Final = 8
_MOST_EVENTS: Final = 64

_FUNCTIONS: Final = {
    "C_Initialize": 0,
    "C_GetInfo": 2,
    "C_GetTokenInfo": 6,
    "C_InitPIN": 10,
    "C_Login": 18,
    "C_Logout": 19,
    "C_WaitForSlotEvent": 67,
}
"""Places in CK_FUNCTION_LIST; the order is part of the standard."""


class User(IntEnum):
    """CK_USER_TYPE."""

    SO = 0
    USER = 1


class CryptokiError(Exception):
    """A return code that is not CKR_OK, by name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Cryptoki:
    """The function list of a module that python-pkcs11 has initialised. Every method raises CryptokiError.

    `shared` is false where the module gives a fresh, uninitialised list to whoever asks (p11-kit's client does): this
    one is then initialised beside python-pkcs11's and reads tokens, but the sessions of the other mean nothing to it.
    """

    def __init__(self, module: str) -> None:
        library = c.CDLL(module)
        table = c.POINTER(structs.FunctionList)()
        library.C_GetFunctionList.restype = c.c_ulong
        _check(library.C_GetFunctionList(c.byref(table)))
        word = c.CFUNCTYPE(c.c_ulong, *[c.c_void_p] * 4)
        # Every argument is a machine word; a function takes as many of the four as it has.
        self._functions = {name: word(table.contents.functions[place] or 0) for name, place in _FUNCTIONS.items()}
        self.shared, info = True, structs.Info()
        try:
            self._call("C_GetInfo", c.addressof(info))
        except CryptokiError as error:
            if error.code != "CKR_CRYPTOKI_NOT_INITIALIZED":
                raise
            self.shared = False
            self._call("C_Initialize")

    def _call(self, name: str, *arguments: int | None) -> None:
        _check(self._functions[name](*arguments, *[None] * (4 - len(arguments))))

    def token_info(self, slot_id: int) -> TokenRecord:
        """CK_TOKEN_INFO, read afresh (PKCS#11 v2.40 §5.5)."""
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

    def slot_changed(self) -> bool:
        """Whether a token came or went since the last question; true where the module cannot tell (§5.5)."""
        changed, slot_id = False, c.c_ulong()
        where, ask = c.addressof(slot_id), self._functions["C_WaitForSlotEvent"]
        for _ in range(_MOST_EVENTS):
            if code := ask(_CKF_DONT_BLOCK, where, None, None):
                return changed or code != _CKR_NO_EVENT
            changed = True
        return changed

    def login(self, session: int, pin: bytearray, user: User = User.USER) -> None:
        """One attempt; an empty PIN is asked for on the reader's own pad. The caller wipes the buffer (§5.6)."""
        self._with_pin("C_Login", pin, session, user)

    def init_pin(self, session: int, pin: bytearray) -> None:
        """Set the user PIN, in a read-write session of the security officer (§5.5). The caller wipes the buffer."""
        self._with_pin("C_InitPIN", pin, session)

    def logout(self, session: int) -> None:
        self._call("C_Logout", session)

    def _with_pin(self, name: str, pin: bytearray, *before: int) -> None:
        if not pin:
            self._call(name, *before, None, 0)
            return
        view = (c.c_ubyte * len(pin)).from_buffer(pin)
        self._call(name, *before, c.addressof(view), len(pin))


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
