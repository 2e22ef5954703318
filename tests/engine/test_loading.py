"""What a kind needs first is loaded beside the event loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.kind import Kind
from runbook.outcome import Verdict
from runbook.record.events import StepFinished
from tests.engine.world import Bench, check, stage

MODULE = "a_module_that_takes_its_time"


@pytest.fixture
def slow_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module whose import waits for `go.wait()` to return, which the event loop has to bring about."""
    text = "import threading\ngo = threading.Event()\nassert go.wait(10)\n"
    (tmp_path / f"{MODULE}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(Kind, "loads", (MODULE,))
    yield
    sys.modules.pop(MODULE, None)


async def test_the_loop_goes_on_while_a_kind_is_loaded(tmp_path: Path, slow_module: None) -> None:
    bench = Bench(tmp_path)

    async def let_it_go() -> None:
        while (module := sys.modules.get(MODULE)) is None or not hasattr(module, "go"):  # noqa: ASYNC110 - a thread
            await asyncio.sleep(0.001)
        module.go.set()

    async with asyncio.timeout(8):
        letting = asyncio.create_task(let_it_go())
        await bench.walk(stage(check("A1")))
        await letting
    (finished,) = bench.of(StepFinished)
    assert finished.outcome.verdict is Verdict.PASSED
