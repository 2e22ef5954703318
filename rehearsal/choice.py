"""Which kind of token a rehearsal uses, and why."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rehearsal.faults import Fault
from rehearsal.token import TokenKind
from runbook.errors import EnvironmentLacks, UsageError

_WORDS = {
    TokenKind.CARD: "a SmartCard-HSM in software behind pcscd and OpenSC",
    TokenKind.SOFTHSM: "SoftHSM2, which has no PIN counter",
}
_PACKAGES = "As root on Debian: apt-get install pcscd vsmartcard-vpcd opensc iproute2"


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of token and the reason for it, worded for people."""

    kind: TokenKind
    why: str

    def __str__(self) -> str:
        return f"{_WORDS[self.kind]} ({self.why})"


def choose(wanted: TokenKind | None, fault: Fault | None, lab: Path, *, full: bool = False) -> Choice:
    """The kind for a lab in this folder; `wanted` None: a card where one can be used; `full`: nothing else will do.

    Raises UsageError for a contradiction, and EnvironmentLacks where a card is needed and cannot be used here.
    """
    needed = fault is not None and fault.drill.needs_card
    if wanted is TokenKind.SOFTHSM:
        if needed:
            raise UsageError(
                f"the drill {fault} needs a card: SoftHSM2 has no PIN counter and no reader",
                where="--token softhsm",
                remedy="Leave --token out.",
            )
        return Choice(TokenKind.SOFTHSM, "--token softhsm")
    # Only the machine is asked here; where it does not answer, the obstacle says so.
    from rehearsal.smartcard import obstacle

    why_not = asyncio.run(obstacle(lab))
    if why_not is None:
        reason = "--full" if full else "--token card" if wanted else "a virtual card reader can run here"
        return Choice(TokenKind.CARD, reason)
    obstacle_said = f"a virtual card reader cannot run here: {why_not}"
    if needed:
        raise EnvironmentLacks(f"the drill {fault} needs a card, and {obstacle_said}", remedy=_PACKAGES)
    if full or wanted is TokenKind.CARD:
        raise EnvironmentLacks(obstacle_said, remedy=_PACKAGES)
    return Choice(TokenKind.SOFTHSM, obstacle_said)
