"""What a card can be made to do wrong, and when."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum

import msgspec

from rehearsal.card.apdu import SW


class FaultKind(StrEnum):
    """What happens instead of the right answer."""

    PULL = "pull"
    """The card leaves the reader; it stays out until it is inserted."""
    SILENT = "silent"
    """No answer ever comes; the reader waits until the card is pulled."""
    GARBAGE = "garbage"
    """Random bytes that end in 9000."""
    SHORT = "short"
    """Half of the data, then the right status word; without data, one byte instead of a status word."""
    STATUS = "status"
    """The status word of the fault, and no data."""
    HOLD = "hold"
    """The right answer, once the faults are cleared; until then the command is under way."""


class PinCheckFault(StrEnum):
    """What happens once a try has been spent and before the PIN is compared."""

    POWER_LOSS = "power_loss"
    """The card is gone until it is inserted again."""
    SILENT = "silent"
    """The card never answers; the place for a test to kill it."""


class PadEntry(StrEnum):
    """What a person types on the card's own pad."""

    RIGHT = "right"
    WRONG = "wrong"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault at the n-th APDU from now (`after`; 1 is the next) whose name in the card's log begins with `command`.

    With `carried_out` the card does what it was told and only the answer suffers, so that whoever waits for it
    cannot know; without, the command never reached it.
    """

    kind: FaultKind
    after: int = 1
    carried_out: bool = True
    status: int = SW.UNKNOWN_FAILURE
    command: str = ""


class FaultPlan:
    """The faults to come. `delay` is seconds before each answer."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.at_pin_check: PinCheckFault | None = None
        self._held = asyncio.Event()
        self.pad = PadEntry.RIGHT
        self._pending: list[tuple[int, Fault]] = []
        """Each with how many APDUs it still lets pass."""

    def add(self, fault: Fault) -> None:
        """Expect this fault; each happens once."""
        self._pending.append((fault.after - 1, fault))

    def clear(self) -> None:
        """No faults and no delay any more."""
        self.delay = 0.0
        self.at_pin_check = None
        self.pad = PadEntry.RIGHT
        self._pending.clear()
        self._held.set()

    async def hold(self) -> None:
        """Until the faults are cleared."""
        self._held.clear()
        await self._held.wait()

    def next(self, name: str) -> Fault | None:
        """Count the APDU of that name: the fault it suffers, if any."""
        due = next((entry for entry in self._pending if entry[0] <= 0 and name.startswith(entry[1].command)), None)
        if due:
            self._pending.remove(due)
        self._pending = [(left - name.startswith(fault.command), fault) for left, fault in self._pending]
        return due[1] if due else None

    def take_pin_check(self) -> PinCheckFault | None:
        """The fault of the PIN check at hand, once."""
        fault, self.at_pin_check = self.at_pin_check, None
        return fault


def spoil(fault: Fault, answer: bytes) -> bytes:
    """The answer as a fault of garbage, short answer or status leaves it."""
    if fault.kind is FaultKind.GARBAGE:
        return os.urandom(max(len(answer) - 2, 16)) + SW.OK.to_bytes(2)
    if fault.kind is FaultKind.SHORT:
        return answer[: (len(answer) - 2) // 2] + answer[-2:] if len(answer) > 2 else answer[:1]
    return fault.status.to_bytes(2)
