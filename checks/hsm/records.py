"""Slots, tokens and objects as a worker reads them: plain data, to be cleaned before it is shown."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True):
    """Base of the plain data in messages."""


class TokenRecord(Record, frozen=True):
    """CK_TOKEN_INFO (PKCS#11 v2.40 §3.2); counts and sizes are None where the token does not say."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: tuple[str, ...]
    min_pin: int
    max_pin: int
    hardware_version: str
    firmware_version: str
    sessions: int | None
    max_sessions: int | None
    rw_sessions: int | None
    max_rw_sessions: int | None
    total_public_memory: int | None
    free_public_memory: int | None
    total_private_memory: int | None
    free_private_memory: int | None
    utc_time: str


class SlotRecord(Record, frozen=True):
    """CK_SLOT_INFO (PKCS#11 v2.40 §3.2)."""

    slot_id: int
    description: str
    manufacturer: str
    flags: tuple[str, ...]
    hardware_version: str
    firmware_version: str
    token: TokenRecord | None
    trouble: str = ""
    """The CKR_ name, where a token is present and cannot be read."""


class ObjectRecord(Record, frozen=True):
    """An object's attributes (PKCS#11 v2.40 §4); None where the token does not say."""

    object_class: str
    """`CKO_PUBLIC_KEY` and so on."""
    id: bytes
    label: str
    key_type: str | None = None
    """`CKK_EC` and so on."""
    ec_params: bytes | None = None
    """DER of ECParameters."""
    ec_point: bytes | None = None
    """DER OCTET STRING around the point; some tokens give the bare point."""
    modulus: bytes | None = None
    public_exponent: bytes | None = None
    """Both big-endian."""
    sensitive: bool | None = None
    extractable: bool | None = None
    always_sensitive: bool | None = None
    never_extractable: bool | None = None
    local: bool | None = None
