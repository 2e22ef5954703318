"""CKA_ID as people write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

KeyId = Annotated[
    str,
    Field(pattern=r"^([0-9a-fA-F]{2}){1,64}$", description="CKA_ID in hex, for example `01`."),
    AfterValidator(str.lower),
]
"""A key's id in hex, two digits a byte; `bytes.fromhex` gives CKA_ID."""
