"""Every case of the killing: at each write, at random moments, and after a power cut."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.token import TokenKind
from tests.killing.place import KILLED, Place
from tests.killing.points import Phase, Point

_AGAIN = 12
"""A resumed run is killed at one of its first so many records."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rehearsal and where it is killed."""

    token: TokenKind
    point: Point | None = None
    """At this write."""
    share: float = 0.0
    """Otherwise: after this share of the time that an undisturbed run takes, from its first record on."""
    again: Point | None = None
    """Where the resumed run is killed too."""
    power: float | None = None
    """The host loses power too: the share of the bytes not yet synced that are on the disk all the same."""

    def __str__(self) -> str:
        where = f"at {self.point}" if self.point else f"after {self.share:.1%}"
        again = f", then at {self.again}" if self.again else ""
        power = f", power lost ({self.power:.0%} torn)" if self.power is not None else ""
        return f"{self.token} {where}{power}{again}"


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a run is like that nobody kills."""

    records: int
    seconds: float
    """From its first record to its last."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case and how it went."""

    case: Case
    killed: int
    """How often a driver was killed in it."""
    begun: bool
    """Whether there was a record when the first one died."""
    seconds: float
    problems: tuple[str, ...]


def measure(token: TokenKind) -> Undisturbed:
    """Walk it once; raises AssertionError where that alone goes wrong."""
    place = Place(token)
    process = place.start(place.rehearse)
    began = _first_record(place, process)
    while process.poll() is None and not place.green:
        time.sleep(0.02)
    seconds = time.monotonic() - began
    place.finish(process)
    place.judge()
    records = len(place.events)
    assert not place.close(), place.problems
    return Undisturbed(records, seconds)


def at_every_write(token: TokenKind, records: int, chance: random.Random) -> Iterator[Case]:
    """Three moments of each, and every fourth torn. A third of the resumed runs are killed too; half of the rest lose
    power.
    """
    for number in range(1, records + 1):
        for phase in Phase:
            if phase is Phase.TORN and number % 4:
                continue
            again = Point(chance.choice(list(Phase)), chance.randint(1, _AGAIN)) if chance.random() < 1 / 3 else None
            power = chance.random() if again is None and chance.random() < 1 / 2 else None
            yield Case(token, Point(phase, number), again=again, power=power)


def at_random(token: TokenKind, count: int, chance: random.Random) -> Iterator[Case]:
    """Moments of the clock."""
    for _ in range(count):
        power = chance.random() if chance.random() < 1 / 4 else None
        yield Case(token, share=chance.random(), power=power)


def run(case: Case, undisturbed: Undisturbed) -> Result:
    """Kill, resume until it ends, judge."""
    began = time.monotonic()
    place = Place(case.token)
    process = place.start(place.rehearse, case.point)
    if case.point is None:
        moment = _first_record(place, process) + case.share * undisturbed.seconds
        time.sleep(max(moment - time.monotonic(), 0))
        process.kill()
    place.finish(process)
    share = case.power
    if share is not None and process.returncode == KILLED:
        place.power_off(lambda sure, size: sure + int(share * (size - sure - 1)))
    begun = not place.nothing_begun()
    if begun and case.again is not None and not place.green:
        place.resume(case.again)
    if begun:
        place.complete()
    return Result(case, place.killed, begun, round(time.monotonic() - began, 1), tuple(place.close()))


def _first_record(place: Place, process: subprocess.Popen[str]) -> float:
    """When the journal was there."""
    while place.journal is None and process.poll() is None:
        time.sleep(0.005)
    return time.monotonic()
