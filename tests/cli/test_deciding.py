"""A shell in line mode outlasts the question from which it was opened, and the question is then asked anew."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from runbook.operator import Moment
from runbook.plain.deciding import Deciding


async def test_a_question_that_is_withdrawn_waits_for_the_end_of_the_shell() -> None:
    """As when a time window opens: nobody loses the shell that they are in."""
    opened, left = asyncio.Event(), asyncio.Event()
    ended: list[int] = []

    async def pick(*_: object, **__: object) -> str:
        return "shell"

    async def shell(step: str, lend: object) -> int:
        opened.set()
        await left.wait()
        ended.append(0)
        return 0

    asking: Any = SimpleNamespace(say=lambda line: None, say_all=lambda lines: None, pick=pick, keyboard=None)
    desk: Any = SimpleNamespace(walk=SimpleNamespace(shell=shell))
    terminal: Any = SimpleNamespace(lend=None)
    deciding = Deciding(asking, terminal)
    deciding.desk = desk
    question = asyncio.create_task(deciding.decide(Moment("A1", "One")))
    await asyncio.wait_for(opened.wait(), 60)
    question.cancel()
    done, _ = await asyncio.wait([question], timeout=0.1)
    assert not done
    left.set()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert ended == [0]
