"""Measures what the operations do without a fault, and runs cases."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from runbook.errors import RunbookError
from runbook.record.events import StepFinished
from tests.campaign import bench
from tests.campaign.bench import Bench
from tests.campaign.cases import Case, Measured, Spot
from tests.campaign.judging import violations
from tests.campaign.reporting import Result, result, unusable
from tests.campaign.steps import SPOTS, WRONG_PIN
from tests.campaign.walking import Walked, walk


class NotClean(Exception):
    """An operation is not as it should be without any fault."""


async def measure(on: Bench, spot: Spot) -> Measured:
    """The operation without a fault, twice: the second time everything is warm. Raises NotClean."""
    await walk(on, spot)
    walked = await walk(on, spot)
    finished = [event for event in walked.events if isinstance(event, StepFinished)]
    wrong = list(violations(walked))
    expected = "pin incorrect" if spot.step == WRONG_PIN else ""
    if wrong or not finished or finished[-1].outcome.symptom != expected:
        raise NotClean(f"{spot}: {wrong or [event.outcome for event in finished]}")
    return Measured(spot, walked.apdus)


async def measure_all(spots: Iterable[Spot] = SPOTS) -> dict[Spot, Measured]:
    """The operations without a fault. Raises NotClean."""
    async with bench.opened() as on:
        return {spot: await measure(on, spot) for spot in spots}


async def run(cases: Iterable[Case]) -> AsyncIterator[Result]:
    """Each case on one reader, one after another; on a new one after a case that left the reader unusable."""
    left = deque(cases)
    while left:
        async with bench.opened() as on:
            usable = True
            while left and usable:
                case = left.popleft()
                try:
                    ended = result(await _suffered(on, case))
                except RunbookError as error:
                    ended, usable = unusable(case, str(error)), False
                yield ended


async def _suffered(on: Bench, case: Case) -> Walked:
    """The case; walked once more on a fresh card where an earlier step failed, so that the fault was never armed."""
    walked = await walk(on, case.spot, case)
    if walked.armed:
        return walked
    earlier = [event.outcome.summary for event in walked.events if isinstance(event, StepFinished)]
    await on.restore(anew=True)
    again = await walk(on, case.spot, case)
    again.repeated = earlier[-1] if earlier else "nothing was walked"
    return again


def run_all(cases: list[Case]) -> list[Result]:
    """As `run`, in a process of its own."""

    async def each() -> list[Result]:
        return [one async for one in run(cases)]

    return asyncio.run(each())
