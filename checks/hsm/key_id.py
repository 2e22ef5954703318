"""CKA_ID as people write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema


def normalise_key_id(text: str) -> str:
    """Two digits a byte, lower case, from `1`, `01`, `0x01` or `01:0A`."""
    digits = text.lower().removeprefix("0x").replace(":", "")
    return digits.zfill(len(digits) + len(digits) % 2)


_PATTERN = r"^(0[xX])?([0-9a-fA-F]|[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){0,63})$"
_ABOUT = "CKA_ID in hex, for example `01`; `1` and `0x01` are the same."

KeyId = Annotated[
    str,
    Field(pattern=_PATTERN),
    AfterValidator(normalise_key_id),
    WithJsonSchema(
        {
            # A runbook's `01` is text; editors read it as YAML 1.2 has it, as the number 1.
            "anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "integer", "minimum": 0, "maximum": 9}],
            "description": _ABOUT,
            "examples": ["01"],
        }
    ),
]
"""A key's id in hex, two digits a byte; `bytes.fromhex` gives CKA_ID."""
