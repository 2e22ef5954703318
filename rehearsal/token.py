"""The token of a lab, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class TokenKind(StrEnum):
    """What a lab's token is made of."""

    CARD = "card"
    """A SmartCard-HSM in software behind the real pcscd and OpenSC."""
    SOFTHSM = "softhsm"
    """SoftHSM2, which needs no privileges, and has no PIN counter and no reader."""


@dataclass(frozen=True, slots=True)
class LabToken:
    """A token and the public keys that were generated on it."""

    module: Path
    environment: Mapping[str, str]
    """What the module needs in its environment to find this token and no other."""
    label: str
    """As the ceremony gave it; OpenSC shows it with a suffix."""
    serial: str
    """CK_TOKEN_INFO.serialNumber."""
    points: dict[str, bytes]
    """CKA_ID in hex → the public point on P-384, uncompressed (SEC 1 §2.3.3: 04‖x‖y)."""
