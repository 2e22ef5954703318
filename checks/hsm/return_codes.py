"""PKCS#11 return codes by name (PKCS#11 v2.40 §5.1), from their numbers and from python-pkcs11's exceptions."""

from __future__ import annotations

import re
from typing import Final

_BY_NUMBER: Final = {
    0x01: "CKR_CANCEL",
    0x02: "CKR_HOST_MEMORY",
    0x03: "CKR_SLOT_ID_INVALID",
    0x05: "CKR_GENERAL_ERROR",
    0x06: "CKR_FUNCTION_FAILED",
    0x07: "CKR_ARGUMENTS_BAD",
    0x08: "CKR_NO_EVENT",
    0x09: "CKR_NEED_TO_CREATE_THREADS",
    0x0A: "CKR_CANT_LOCK",
    0x20: "CKR_DATA_INVALID",
    0x21: "CKR_DATA_LEN_RANGE",
    0x30: "CKR_DEVICE_ERROR",
    0x31: "CKR_DEVICE_MEMORY",
    0x32: "CKR_DEVICE_REMOVED",
    0x50: "CKR_FUNCTION_CANCELED",
    0x51: "CKR_FUNCTION_NOT_PARALLEL",
    0x54: "CKR_FUNCTION_NOT_SUPPORTED",
    0x90: "CKR_OPERATION_ACTIVE",
    0x91: "CKR_OPERATION_NOT_INITIALIZED",
    0xA0: "CKR_PIN_INCORRECT",
    0xA1: "CKR_PIN_INVALID",
    0xA2: "CKR_PIN_LEN_RANGE",
    0xA3: "CKR_PIN_EXPIRED",
    0xA4: "CKR_PIN_LOCKED",
    0xB0: "CKR_SESSION_CLOSED",
    0xB1: "CKR_SESSION_COUNT",
    0xB3: "CKR_SESSION_HANDLE_INVALID",
    0xB8: "CKR_SESSION_READ_ONLY_EXISTS",
    0xE0: "CKR_TOKEN_NOT_PRESENT",
    0xE1: "CKR_TOKEN_NOT_RECOGNIZED",
    0xE2: "CKR_TOKEN_WRITE_PROTECTED",
    0x100: "CKR_USER_ALREADY_LOGGED_IN",
    0x101: "CKR_USER_NOT_LOGGED_IN",
    0x102: "CKR_USER_PIN_NOT_INITIALIZED",
    0x103: "CKR_USER_TYPE_INVALID",
    0x104: "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
    0x105: "CKR_USER_TOO_MANY_TYPES",
    0x190: "CKR_CRYPTOKI_NOT_INITIALIZED",
    0x191: "CKR_CRYPTOKI_ALREADY_INITIALIZED",
}
"""The codes that C_GetFunctionList, C_GetTokenInfo, C_Login and C_Logout may return."""

_ODD_NAMES: Final = {
    "AnotherUserAlreadyLoggedIn": "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
    "FunctionCancelled": "CKR_FUNCTION_CANCELED",
    "TokenNotRecognised": "CKR_TOKEN_NOT_RECOGNIZED",
    "UserPinNotInitialized": "CKR_USER_PIN_NOT_INITIALIZED",
    "SlotIDInvalid": "CKR_SLOT_ID_INVALID",
    "RandomNoRNG": "CKR_RANDOM_NO_RNG",
    "SessionReadWriteSOExists": "CKR_SESSION_READ_WRITE_SO_EXISTS",
}
"""python-pkcs11's exceptions whose names are not the code's in camel case."""

_HUMP = re.compile(r"(?<!^)(?=[A-Z])")
_HEX = re.compile(r"0x[0-9a-fA-F]+")


def name_of(number: int) -> str:
    """For example `CKR_PIN_INCORRECT`; `CKR_0x…` for a code without a name here."""
    return _BY_NUMBER.get(number, f"CKR_0x{number:x}")


def name_of_exception(error: Exception) -> str:
    """The code behind one of python-pkcs11's exceptions."""
    name = type(error).__name__
    if name == "PKCS11Error":
        found = _HEX.search(str(error))
        return f"CKR_{found[0]}" if found else "CKR_GENERAL_ERROR"
    return _ODD_NAMES.get(name) or f"CKR_{_HUMP.sub('_', name).upper()}"
