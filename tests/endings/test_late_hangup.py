"""A terminal that goes away may send SIGHUP twice: what the program still puts in order then is not cut short."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from runbook.terminal.watchdog import Watchdog


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


async def test_the_second_one_ends_nothing() -> None:
    told = asyncio.Event()
    with Watchdog({signal.SIGHUP: "gone"}, lambda reason: told.set(), lambda: None, "r1"):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(told.wait(), 60)
    assert signal.getsignal(signal.SIGHUP) not in (signal.SIG_DFL, signal.SIG_IGN), "children would inherit the latter"
    os.kill(os.getpid(), signal.SIGHUP)  # would end the tests


async def test_where_none_came_everything_is_as_before() -> None:
    with Watchdog({signal.SIGHUP: "gone"}, lambda reason: None, lambda: None, "r1"):
        await asyncio.sleep(0)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
