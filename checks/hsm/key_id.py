"""CKA_ID as people write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema


def normalise_key_id(text: str) -> str:
    """Two digits a byte, lower case, from `1`, `01`, `0x01` or `01:0A`."""
    digits = text.lower().removeprefix("0x").replace(":", "")
    return digits.zfill(len(digits) + len(digits) % 2)


_PATTERN = r"^(0[xX])?([0-9a-fA-F]|[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){0,63})$"

KeyId = Annotated[
    str,
    Field(
        pattern=_PATTERN,
        description="CKA_ID in hex, for example `01`; `1` and `0x01` are the same.",
        examples=["01"],
    ),
    AfterValidator(normalise_key_id),
    # A runbook's `01` is text; editors read it as YAML 1.2 has it, as the number 1.
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "integer", "minimum": 0, "maximum": 9}]}
    ),
]
"""A key's id in hex, two digits a byte; `bytes.fromhex` gives CKA_ID."""
