"""The three PKCS#11 calls for which python-pkcs11 is not enough, made through ctypes on the same loaded module.

- C_GetTokenInfo: it does not pass on the PIN length limits, the session counts and the memory sizes.
- C_Login: it logs in only while it opens a session, leaks that session when the PIN is wrong, and keeps the PIN
  in an immutable string. Here the PIN is in a buffer of ours, wiped by the caller.
- C_Logout: the counterpart.
"""

from __future__ import annotations

import ctypes as c
from typing import Final

from checks.hsm.return_codes import name_of
from checks.hsm.wire import TokenRecord

_UNAVAILABLE: Final = (c.c_ulong(-1).value, 0xFFFFFFFF)
"""CK_UNAVAILABLE_INFORMATION, also as modules built for 32 bits give it."""

_CKU_USER: Final = 1

_TOKEN_FLAGS: Final = {
    0x1: "CKF_RNG",
    0x2: "CKF_WRITE_PROTECTED",
    0x4: "CKF_LOGIN_REQUIRED",
    0x8: "CKF_USER_PIN_INITIALIZED",
    0x20: "CKF_RESTORE_KEY_NOT_NEEDED",
    0x40: "CKF_CLOCK_ON_TOKEN",
    0x100: "CKF_PROTECTED_AUTHENTICATION_PATH",
    0x200: "CKF_DUAL_CRYPTO_OPERATIONS",
    0x400: "CKF_TOKEN_INITIALIZED",
    0x800: "CKF_SECONDARY_AUTHENTICATION",
    0x10000: "CKF_USER_PIN_COUNT_LOW",
    0x20000: "CKF_USER_PIN_FINAL_TRY",
    0x40000: "CKF_USER_PIN_LOCKED",
    0x80000: "CKF_USER_PIN_TO_BE_CHANGED",
    0x100000: "CKF_SO_PIN_COUNT_LOW",
    0x200000: "CKF_SO_PIN_FINAL_TRY",
    0x400000: "CKF_SO_PIN_LOCKED",
    0x800000: "CKF_SO_PIN_TO_BE_CHANGED",
    0x1000000: "CKF_ERROR_STATE",
}
_SLOT_FLAGS: Final = {0x1: "CKF_TOKEN_PRESENT", 0x2: "CKF_REMOVABLE_DEVICE", 0x4: "CKF_HW_SLOT"}


class _Version(c.Structure):
    _fields_ = (("major", c.c_ubyte), ("minor", c.c_ubyte))


class _TokenInfo(c.Structure):
    """CK_TOKEN_INFO (PKCS#11 v2.40 §3.2)."""

    _fields_ = (
        ("label", c.c_ubyte * 32),
        ("manufacturer", c.c_ubyte * 32),
        ("model", c.c_ubyte * 16),
        ("serial", c.c_ubyte * 16),
        ("flags", c.c_ulong),
        ("max_sessions", c.c_ulong),
        ("sessions", c.c_ulong),
        ("max_rw_sessions", c.c_ulong),
        ("rw_sessions", c.c_ulong),
        ("max_pin", c.c_ulong),
        ("min_pin", c.c_ulong),
        ("total_public_memory", c.c_ulong),
        ("free_public_memory", c.c_ulong),
        ("total_private_memory", c.c_ulong),
        ("free_private_memory", c.c_ulong),
        ("hardware_version", _Version),
        ("firmware_version", _Version),
        ("utc_time", c.c_ubyte * 16),
    )


class _FunctionList(c.Structure):
    """CK_FUNCTION_LIST up to C_Logout (PKCS#11 v2.40 §5.4): the version, then the functions in fixed order."""

    _fields_ = (("version", _Version), ("functions", c.c_void_p * 20))

    GET_TOKEN_INFO: Final = 6
    LOGIN: Final = 18
    LOGOUT: Final = 19


class CryptokiError(Exception):
    """A return code that is not CKR_OK, by name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Cryptoki:
    """A module that python-pkcs11 has loaded and initialised; loading it again only counts a reference."""

    def __init__(self, module: str) -> None:
        library = c.CDLL(module)
        table = c.POINTER(_FunctionList)()
        _check(library.C_GetFunctionList(c.byref(table)))
        functions = table.contents.functions
        ulong = c.c_ulong
        self._get_token_info = c.CFUNCTYPE(ulong, ulong, c.POINTER(_TokenInfo))(functions[_FunctionList.GET_TOKEN_INFO])
        self._login = c.CFUNCTYPE(ulong, ulong, ulong, c.c_void_p, ulong)(functions[_FunctionList.LOGIN])
        self._logout = c.CFUNCTYPE(ulong, ulong)(functions[_FunctionList.LOGOUT])

    def token_info(self, slot_id: int) -> TokenRecord:
        """Read afresh. Raises CryptokiError."""
        info = _TokenInfo()
        _check(self._get_token_info(slot_id, c.byref(info)))
        return TokenRecord(
            label=_text(info.label),
            manufacturer=_text(info.manufacturer),
            model=_text(info.model),
            serial=_text(info.serial),
            flags=token_flags(info.flags),
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
            utc_time=_text(info.utc_time) if "CKF_CLOCK_ON_TOKEN" in token_flags(info.flags) else "",
        )

    def login(self, session: int, pin: bytearray) -> None:
        """One attempt with the user PIN; the caller wipes the buffer. Raises CryptokiError."""
        view = (c.c_ubyte * len(pin)).from_buffer(pin)
        _check(self._login(session, _CKU_USER, c.addressof(view), len(pin)))

    def logout(self, session: int) -> None:
        """Raises CryptokiError."""
        _check(self._logout(session))


def token_flags(value: int) -> tuple[str, ...]:
    """The names of CK_TOKEN_INFO.flags, in the standard's order; unknown bits as one hex number."""
    return _names(value, _TOKEN_FLAGS)


def slot_flags(value: int) -> tuple[str, ...]:
    """The names of CK_SLOT_INFO.flags."""
    return _names(value, _SLOT_FLAGS)


def _names(value: int, table: dict[int, str]) -> tuple[str, ...]:
    rest = value & ~sum(table)
    return tuple(name for bit, name in table.items() if value & bit) + ((f"0x{rest:x}",) if rest else ())


def _check(code: int) -> None:
    if code:
        raise CryptokiError(name_of(code))


def _text(field: c.Array[c.c_ubyte]) -> str:
    """A field padded with blanks (or, against the standard, with zeros)."""
    return bytes(field).rstrip(b"\0").decode(errors="replace").rstrip()


def _version(version: _Version) -> str:
    return f"{version.major}.{version.minor}"


def _known(number: int) -> int | None:
    return None if number in _UNAVAILABLE else number
