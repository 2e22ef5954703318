"""CKA_ID as people write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def normalise_key_id(text: str) -> str:
    """Two digits a byte, lower case, from `1`, `01`, `0x01` or `01:0A`."""
    digits = text.lower().removeprefix("0x").replace(":", "")
    return digits.zfill(len(digits) + len(digits) % 2)


KeyId = Annotated[
    str,
    Field(
        pattern=r"^(0[xX])?([0-9a-fA-F]|[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){0,63})$",
        description="CKA_ID in hex, for example `01`; `1` and `0x01` are the same.",
    ),
    AfterValidator(normalise_key_id),
]
"""A key's id in hex, two digits a byte; `bytes.fromhex` gives CKA_ID."""
