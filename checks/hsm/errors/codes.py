"""PKCS#11 return codes (v2.40 §5.1) and what they mean here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from checks.hsm.errors.base import TokenError
from checks.hsm.errors.pins import (
    NotLoggedIn,
    PinIncorrect,
    PinLength,
    PinLocked,
    PinNotAscii,
    PinNotSet,
    PinPadCancelled,
)
from checks.hsm.errors.tokens import KeyMissing, MechanismMissing, TokenNotRecognised, TokenRemoved, WrongKeyType

BY_RETURN_CODE: Mapping[str, type[TokenError]] = {
    "CKR_PIN_INCORRECT": PinIncorrect,
    "CKR_PIN_LOCKED": PinLocked,
    "CKR_PIN_LEN_RANGE": PinLength,
    "CKR_PIN_INVALID": PinNotAscii,
    "CKR_PIN_EXPIRED": PinNotSet,
    "CKR_USER_PIN_NOT_INITIALIZED": PinNotSet,
    "CKR_CANCEL": PinPadCancelled,
    "CKR_FUNCTION_CANCELED": PinPadCancelled,
    "CKR_USER_NOT_LOGGED_IN": NotLoggedIn,
    "CKR_TOKEN_NOT_PRESENT": TokenRemoved,
    "CKR_DEVICE_REMOVED": TokenRemoved,
    "CKR_SLOT_ID_INVALID": TokenRemoved,
    "CKR_SESSION_CLOSED": TokenRemoved,
    "CKR_SESSION_HANDLE_INVALID": TokenRemoved,
    "CKR_TOKEN_NOT_RECOGNIZED": TokenNotRecognised,
    "CKR_KEY_HANDLE_INVALID": KeyMissing,
    "CKR_OBJECT_HANDLE_INVALID": KeyMissing,
    "CKR_KEY_TYPE_INCONSISTENT": WrongKeyType,
    "CKR_KEY_FUNCTION_NOT_PERMITTED": WrongKeyType,
    "CKR_MECHANISM_INVALID": MechanismMissing,
    "CKR_MECHANISM_PARAM_INVALID": MechanismMissing,
}
"""Return codes (PKCS#11 v2.40 §5.1) that have a type of their own; all others are a TokenError with its code."""

PIN_REFUSALS: Final = frozenset(
    {
        "CKR_ARGUMENTS_BAD",
        "CKR_CANCEL",
        "CKR_FUNCTION_CANCELED",
        "CKR_DATA_LEN_RANGE",
        "CKR_PIN_EXPIRED",
        "CKR_PIN_INCORRECT",
        "CKR_PIN_INVALID",
        "CKR_PIN_LEN_RANGE",
        "CKR_PIN_LOCKED",
        "CKR_USER_ALREADY_LOGGED_IN",
        "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
        "CKR_USER_PIN_NOT_INITIALIZED",
        "CKR_USER_TOO_MANY_TYPES",
        "CKR_USER_TYPE_INVALID",
    }
)
"""What C_Login gives when the token has judged; after any other code nobody knows whether it had."""

HARMLESS: Final = (PIN_REFUSALS - {"CKR_USER_ALREADY_LOGGED_IN"}) | {
    "CKR_KEY_FUNCTION_NOT_PERMITTED",
    "CKR_KEY_HANDLE_INVALID",
    "CKR_KEY_TYPE_INCONSISTENT",
    "CKR_MECHANISM_INVALID",
    "CKR_MECHANISM_PARAM_INVALID",
    "CKR_OBJECT_HANDLE_INVALID",
    "CKR_USER_NOT_LOGGED_IN",
}
"""A clear no. After any other code the module's idea of the token may be wrong for good (OpenSC's is, after another
program has reset the card), and its worker is replaced."""
