"""The names of PKCS#11's numbers (PKCS#11 v2.40, header pkcs11t.h)."""

from __future__ import annotations

from typing import Final

_RETURN_CODES: Final = {
    0x00: "CKR_OK",
    0x01: "CKR_CANCEL",
    0x02: "CKR_HOST_MEMORY",
    0x03: "CKR_SLOT_ID_INVALID",
    0x05: "CKR_GENERAL_ERROR",
    0x06: "CKR_FUNCTION_FAILED",
    0x07: "CKR_ARGUMENTS_BAD",
    0x08: "CKR_NO_EVENT",
    0x09: "CKR_NEED_TO_CREATE_THREADS",
    0x0A: "CKR_CANT_LOCK",
    0x10: "CKR_ATTRIBUTE_READ_ONLY",
    0x11: "CKR_ATTRIBUTE_SENSITIVE",
    0x12: "CKR_ATTRIBUTE_TYPE_INVALID",
    0x13: "CKR_ATTRIBUTE_VALUE_INVALID",
    0x1B: "CKR_ACTION_PROHIBITED",
    0x20: "CKR_DATA_INVALID",
    0x21: "CKR_DATA_LEN_RANGE",
    0x30: "CKR_DEVICE_ERROR",
    0x31: "CKR_DEVICE_MEMORY",
    0x32: "CKR_DEVICE_REMOVED",
    0x40: "CKR_ENCRYPTED_DATA_INVALID",
    0x41: "CKR_ENCRYPTED_DATA_LEN_RANGE",
    0x50: "CKR_FUNCTION_CANCELED",
    0x51: "CKR_FUNCTION_NOT_PARALLEL",
    0x54: "CKR_FUNCTION_NOT_SUPPORTED",
    0x60: "CKR_KEY_HANDLE_INVALID",
    0x62: "CKR_KEY_SIZE_RANGE",
    0x63: "CKR_KEY_TYPE_INCONSISTENT",
    0x64: "CKR_KEY_NOT_NEEDED",
    0x65: "CKR_KEY_CHANGED",
    0x66: "CKR_KEY_NEEDED",
    0x67: "CKR_KEY_INDIGESTIBLE",
    0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED",
    0x69: "CKR_KEY_NOT_WRAPPABLE",
    0x6A: "CKR_KEY_UNEXTRACTABLE",
    0x70: "CKR_MECHANISM_INVALID",
    0x71: "CKR_MECHANISM_PARAM_INVALID",
    0x82: "CKR_OBJECT_HANDLE_INVALID",
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
    0xB4: "CKR_SESSION_PARALLEL_NOT_SUPPORTED",
    0xB5: "CKR_SESSION_READ_ONLY",
    0xB6: "CKR_SESSION_EXISTS",
    0xB7: "CKR_SESSION_READ_ONLY_EXISTS",
    0xB8: "CKR_SESSION_READ_WRITE_SO_EXISTS",
    0xC0: "CKR_SIGNATURE_INVALID",
    0xC1: "CKR_SIGNATURE_LEN_RANGE",
    0xD0: "CKR_TEMPLATE_INCOMPLETE",
    0xD1: "CKR_TEMPLATE_INCONSISTENT",
    0xE0: "CKR_TOKEN_NOT_PRESENT",
    0xE1: "CKR_TOKEN_NOT_RECOGNIZED",
    0xE2: "CKR_TOKEN_WRITE_PROTECTED",
    0x100: "CKR_USER_ALREADY_LOGGED_IN",
    0x101: "CKR_USER_NOT_LOGGED_IN",
    0x102: "CKR_USER_PIN_NOT_INITIALIZED",
    0x103: "CKR_USER_TYPE_INVALID",
    0x104: "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
    0x105: "CKR_USER_TOO_MANY_TYPES",
    0x130: "CKR_DOMAIN_PARAMS_INVALID",
    0x140: "CKR_CURVE_NOT_SUPPORTED",
    0x150: "CKR_BUFFER_TOO_SMALL",
    0x160: "CKR_SAVED_STATE_INVALID",
    0x170: "CKR_INFORMATION_SENSITIVE",
    0x180: "CKR_STATE_UNSAVEABLE",
    0x190: "CKR_CRYPTOKI_NOT_INITIALIZED",
    0x191: "CKR_CRYPTOKI_ALREADY_INITIALIZED",
    0x1A0: "CKR_MUTEX_BAD",
    0x1A1: "CKR_MUTEX_NOT_LOCKED",
    0x1B8: "CKR_PIN_TOO_WEAK",
    0x1B9: "CKR_PUBLIC_KEY_INVALID",
    0x200: "CKR_FUNCTION_REJECTED",
}

MECHANISMS: Final = {
    0x00: "CKM_RSA_PKCS_KEY_PAIR_GEN",
    0x01: "CKM_RSA_PKCS",
    0x03: "CKM_RSA_X_509",
    0x06: "CKM_SHA1_RSA_PKCS",
    0x0D: "CKM_RSA_PKCS_PSS",
    0x0E: "CKM_SHA1_RSA_PKCS_PSS",
    0x40: "CKM_SHA256_RSA_PKCS",
    0x41: "CKM_SHA384_RSA_PKCS",
    0x42: "CKM_SHA512_RSA_PKCS",
    0x43: "CKM_SHA256_RSA_PKCS_PSS",
    0x44: "CKM_SHA384_RSA_PKCS_PSS",
    0x45: "CKM_SHA512_RSA_PKCS_PSS",
    0x46: "CKM_SHA224_RSA_PKCS",
    0x47: "CKM_SHA224_RSA_PKCS_PSS",
    0x250: "CKM_SHA256",
    0x260: "CKM_SHA384",
    0x270: "CKM_SHA512",
    0x1040: "CKM_EC_KEY_PAIR_GEN",
    0x1041: "CKM_ECDSA",
    0x1042: "CKM_ECDSA_SHA1",
    0x1043: "CKM_ECDSA_SHA224",
    0x1044: "CKM_ECDSA_SHA256",
    0x1045: "CKM_ECDSA_SHA384",
    0x1046: "CKM_ECDSA_SHA512",
    0x1050: "CKM_ECDH1_DERIVE",
    0x1051: "CKM_ECDH1_COFACTOR_DERIVE",
    0x1055: "CKM_EC_EDWARDS_KEY_PAIR_GEN",
    0x1057: "CKM_EDDSA",
}
"""Mechanisms of asymmetric keys, and the hashes; others go by their numbers."""

OBJECT_CLASSES: Final = {
    0x0: "CKO_DATA",
    0x1: "CKO_CERTIFICATE",
    0x2: "CKO_PUBLIC_KEY",
    0x3: "CKO_PRIVATE_KEY",
    0x4: "CKO_SECRET_KEY",
    0x5: "CKO_HW_FEATURE",
    0x6: "CKO_DOMAIN_PARAMETERS",
    0x7: "CKO_MECHANISM",
    0x9: "CKO_PROFILE",  # PKCS#11 v3.0; OpenSC shows one for each card
}

KEY_TYPES: Final = {
    0x00: "CKK_RSA",
    0x01: "CKK_DSA",
    0x02: "CKK_DH",
    0x03: "CKK_EC",
    0x10: "CKK_GENERIC_SECRET",
    0x13: "CKK_DES2",
    0x14: "CKK_DES3",
    0x1F: "CKK_AES",
    0x40: "CKK_EC_EDWARDS",
    0x41: "CKK_EC_MONTGOMERY",
}

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


def return_code(number: int) -> str:
    """For example `CKR_PIN_INCORRECT`; `CKR_0x…` for a code without a name."""
    return _RETURN_CODES.get(number, f"CKR_0x{number:x}")


def mechanism(number: int) -> str:
    """For example `CKM_ECDSA`; `0x…` for one without a name here."""
    return MECHANISMS.get(number, f"0x{number:08x}")


def token_flags(value: int) -> tuple[str, ...]:
    """The names of CK_TOKEN_INFO.flags, in the standard's order; unknown bits as one hex number."""
    return _flags(value, _TOKEN_FLAGS)


def pin_flags(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a token's flags that warn about a PIN."""
    return tuple(flag for flag in flags if "_PIN_" in flag and flag != "CKF_USER_PIN_INITIALIZED")


def slot_flags(value: int) -> tuple[str, ...]:
    """The names of CK_SLOT_INFO.flags."""
    return _flags(value, _SLOT_FLAGS)


def _flags(value: int, table: dict[int, str]) -> tuple[str, ...]:
    rest = value & ~sum(table)
    return tuple(name for bit, name in table.items() if value & bit) + ((f"0x{rest:x}",) if rest else ())
