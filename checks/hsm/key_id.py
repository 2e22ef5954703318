"""CKA_ID as people write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

MAX_BYTES = 64


def normalise_key_id(text: str) -> str:
    """Lower-case hex of whole bytes from `1`, `01`, `0x01` or `01:0A`; raises ValueError."""
    digits = text.strip().lower().removeprefix("0x").replace(":", "")
    digits = digits.zfill(len(digits) + len(digits) % 2)
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f"`{text}` is not a key id: hex digits are expected, for example 01") from None
    if not 1 <= len(raw) <= MAX_BYTES:
        raise ValueError(f"a key id has 1 to {MAX_BYTES} bytes")
    return raw.hex()


KeyId = Annotated[
    str,
    AfterValidator(normalise_key_id),
    Field(description="CKA_ID in hex; `1`, `01` and `0x01` are the same.", examples=["01"]),
]
