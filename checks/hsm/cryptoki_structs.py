"""PKCS#11's structures as ctypes lays them out on Unix (PKCS#11 v2.40 §3, header pkcs11t.h)."""

from __future__ import annotations

import ctypes as c


class Version(c.Structure):
    """CK_VERSION."""

    _fields_ = (("major", c.c_ubyte), ("minor", c.c_ubyte))


class Info(c.Structure):
    """CK_INFO."""

    _fields_ = (
        ("cryptoki_version", Version),
        ("manufacturer", c.c_ubyte * 32),
        ("flags", c.c_ulong),
        ("description", c.c_ubyte * 32),
        ("version", Version),
    )


class SlotInfo(c.Structure):
    """CK_SLOT_INFO."""

    _fields_ = (
        ("description", c.c_ubyte * 64),
        ("manufacturer", c.c_ubyte * 32),
        ("flags", c.c_ulong),
        ("hardware_version", Version),
        ("firmware_version", Version),
    )


class TokenInfo(c.Structure):
    """CK_TOKEN_INFO."""

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
        ("hardware_version", Version),
        ("firmware_version", Version),
        ("utc_time", c.c_ubyte * 16),
    )


class Attribute(c.Structure):
    """CK_ATTRIBUTE."""

    _fields_ = (("type", c.c_ulong), ("value", c.c_void_p), ("length", c.c_ulong))


class Mechanism(c.Structure):
    """CK_MECHANISM."""

    _fields_ = (("mechanism", c.c_ulong), ("parameter", c.c_void_p), ("parameter_length", c.c_ulong))


class FunctionList(c.Structure):
    """CK_FUNCTION_LIST: the version, then the functions."""

    _fields_ = (("version", Version), ("functions", c.c_void_p * 68))
