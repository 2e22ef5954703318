"""What people call elliptic curves."""

from __future__ import annotations

from typing import Final

_NIST: Final = {"secp224r1": "P-224", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
"""Names of FIPS 186-4, appendix D, by those of SEC 2."""


def usual_name(curve: str) -> str:
    """The usual name of a curve that a library calls by its name in SEC 2: `P-384`; other names as they are."""
    return _NIST.get(curve, curve)
