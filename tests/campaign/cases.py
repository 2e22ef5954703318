"""What the campaign tries: which operation suffers which fault at which of its APDUs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where an operation stands when the fault comes."""

    ALONE = "alone"
    """It is the first of the run: the module is loaded and the card enumerated within it."""
    IN_STAGE = "in stage"
    """The steps of stage A before it were green, and their session is still open."""


class Trouble(StrEnum):
    """What goes wrong."""

    PULLED = "pulled"
    PUT_BACK = "pulled and put back"
    SWAPPED = "swapped"
    SILENT = "silent"
    GARBAGE = "garbage"
    SHORT = "short answer"
    STATUS = "error status"
    DENIED = "security status"
    """6982: what a card says that has lost its login, and what makes middleware try again."""
    LATE = "slow, in time"
    TOO_LATE = "slow, too late"
    KILLED = "worker killed"
    STOPPED = "worker stopped"
    NO_PCSCD = "pcscd killed"
    RESTARTED = "pcscd restarted"
    SLOW_CARD = "slow card"
    POWER_LOSS = "power loss in the PIN check"
    POWER_BACK = "power loss in the PIN check, and back"

    @property
    def passes(self) -> bool:
        """Whether the same step can be green when it is tried again."""
        return self not in _LASTING

    @property
    def at_each_apdu(self) -> bool:
        return self not in (Trouble.SLOW_CARD, *_AT_PIN_CHECK)

    @property
    def at_pin_check(self) -> bool:
        return self in _AT_PIN_CHECK

    @property
    def answers(self) -> bool:
        """Whether it is about one answer, so that the command behind it may have been carried out or not."""
        return self in _ANSWERS


_LASTING = frozenset({Trouble.PULLED, Trouble.SWAPPED, Trouble.SILENT, Trouble.NO_PCSCD, Trouble.POWER_LOSS})
_AT_PIN_CHECK = (Trouble.POWER_LOSS, Trouble.POWER_BACK)
_ANSWERS = frozenset(
    {Trouble.PULLED, Trouble.PUT_BACK, Trouble.SWAPPED, Trouble.SILENT, Trouble.STATUS, Trouble.DENIED}
)


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """An operation in its place."""

    place: Place
    step: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A spot in a run without a fault: its APDUs by name, as the card's log has them."""

    spot: Spot
    apdus: tuple[str, ...]

    @property
    def pin_checks(self) -> tuple[int, ...]:
        """The APDUs that try a PIN, counted from 1."""
        return tuple(number for number, name in enumerate(self.apdus, start=1) if name.startswith("VERIFY 00 81 +"))


@dataclass(frozen=True, slots=True)
class Case:
    """One run with one fault."""

    spot: Spot
    trouble: Trouble
    apdu: int
    """Which APDU of the operation suffers it, counted from 1; 0 where that is not chosen."""
    carried_out: bool = True
    """Whether the card does what the command says before its answer is lost."""

    @property
    def name(self) -> str:
        lost = "" if self.carried_out else ", not carried out"
        at = f" at {self.apdu}" if self.apdu else ""
        return f"{self.spot.place} {self.spot.step}: {self.trouble}{at}{lost}"


def all_cases(measured: Mapping[Spot, Measured]) -> Iterator[Case]:
    """Every operation with every fault at every APDU of it; where a PIN is tried, carried out and not."""
    for spot, found in sorted(measured.items()):
        for trouble in Trouble:
            if trouble.at_pin_check and not found.pin_checks:
                continue
            if not trouble.at_each_apdu:
                yield Case(spot, trouble, 0)
                continue
            for apdu in range(1, len(found.apdus) + 1):
                yield Case(spot, trouble, apdu)
                if trouble.answers and apdu in found.pin_checks:
                    yield Case(spot, trouble, apdu, carried_out=False)


def sample(measured: Mapping[Spot, Measured], seed: int, each: int) -> list[Case]:
    """`each` cases of every fault; the same for the same seed and counts."""
    chosen = random.Random(seed)
    by_trouble: dict[Trouble, list[Case]] = {trouble: [] for trouble in Trouble}
    for case in all_cases(measured):
        by_trouble[case.trouble].append(case)
    return [case for cases in by_trouble.values() for case in chosen.sample(cases, min(each, len(cases)))]
