"""A person's time does not count, before the work or within it; the work's own time does."""

from __future__ import annotations

import asyncio

import pytest

from runbook.run.deadline import Deadline


async def test_a_prompt_before_the_work_costs_nothing() -> None:
    """An input is asked for before the kind runs."""
    deadline = Deadline(5.0)
    with deadline.paused():
        pass
    async with deadline.running():
        await asyncio.sleep(0)


async def test_the_work_has_only_its_own_time() -> None:
    deadline = Deadline(0.02)
    after_the_pause: list[float] = []

    async def work() -> None:
        async with deadline.running():
            with deadline.paused():
                await asyncio.sleep(0.05)
            after_the_pause.append(deadline.left)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await work()
    assert after_the_pause, "the pause alone ended the work"
