"""A signature made by the token and verified twice in software."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from runbook.outcome import Evidence, ForeignLine
from runbook.text import clean_line

_LONGEST = 8192
"""Hexadecimal digits of the longest signature: by an RSA key of 32768 bits."""


class SignTest(Evidence):
    """What was signed, how, and what both verifications said."""

    kind: ClassVar[str] = "sign_test"
    token: ForeignLine
    key_id: ForeignLine
    """CKA_ID in lower-case hex."""
    key_type: ForeignLine
    statement: ForeignLine
    """The readable text that was signed; it cannot be a certificate."""
    mechanism: ForeignLine
    """What the token was asked for, for example `CKM_ECDSA`."""
    hashed_by: ForeignLine
    """`token` or `software (SHA-384)`."""
    signature: Annotated[str, AfterValidator(partial(clean_line, limit=_LONGEST))]
    """Hex; r‖s for ECDSA (PKCS#11 v2.40 §2.3.1), big-endian."""
    verified_by_token_key: bool
    """With the public key read from the token."""
    artefact: ForeignLine = ""
    """The file whose key was used for the second verification."""
    verified_by_artefact: bool | None = None
    """None: no artefact was given."""

    @property
    def length(self) -> int:
        """Bytes of the signature."""
        return len(self.signature) // 2

    @property
    def halves(self) -> tuple[str, str]:
        """r and s in hex, for ECDSA."""
        middle = len(self.signature) // 2
        return self.signature[:middle], self.signature[middle:]

    def plain(self) -> Iterator[str]:
        yield f"token {self.token}, key {self.key_id} ({self.key_type})"
        yield f"statement: {self.statement}"
        yield f"mechanism: {self.mechanism}, hashed by {self.hashed_by}"
        yield f"signature: {self.length} bytes"
        if self.key_type.startswith("EC"):
            yield f"  r {self.halves[0]}"
            yield f"  s {self.halves[1]}"
        else:
            yield f"  {self.signature}"
        yield f"verified with the token's public key: {_yes(self.verified_by_token_key)}"
        if self.verified_by_artefact is not None:
            yield f"verified with {self.artefact}: {_yes(self.verified_by_artefact)}"


def _yes(value: bool) -> str:
    return "yes" if value else "NO"
