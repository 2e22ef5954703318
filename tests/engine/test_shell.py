"""A shell for the operator: only while nothing is at work, on record, without secrets, and gone with the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from runbook.context import Context
from runbook.errors import RunbookError, StepError, UsageError
from runbook.operator import Decided, Moment, TerminalRequest
from runbook.record.events import RunFinished, StepStarted
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.run.engine import Engine
from runbook.run.shell import RUN, STEP
from runbook.secrets import Secret
from tests.engine.world import Bench, Script, check, stage

Opens = Callable[[Engine], Awaitable[object]]


@dataclass
class Away(Script):
    """Goes away once, before the first step."""

    bench: Bench | None = None
    does: list[Opens] = field(default_factory=list)

    async def decide(self, moment: Moment) -> Decided:
        if self.does:
            assert self.bench is not None
            assert self.bench.engine is not None
            await self.does.pop(0)(self.bench.engine)
        return await super().decide(moment)


@pytest.fixture
def away(bench: Bench) -> Callable[[Opens], Away]:
    def goes(does: Opens) -> Away:
        bench.operator = Away(bench=bench, does=[does])
        return bench.operator

    return goes


async def test_it_is_on_record_with_how_it_ended_and_nothing_runs_meanwhile(
    bench: Bench, away: Callable[[Opens], Away]
) -> None:
    asked: list[TerminalRequest] = []

    async def lend(request: TerminalRequest) -> int:
        asked.append(request)
        assert bench.world.ran == []
        return 42

    away(lambda engine: engine.shell("A1", lend))
    await bench.walk(stage(check("A1")))
    kinds = [type(event) for event in bench.events]
    opened, ended = kinds.index(ShellOpened), kinds.index(ShellEnded)
    assert opened < ended < kinds.index(StepStarted)
    assert bench.events[ended] == ShellEnded("A1", 42)
    assert bench.engine is not None
    assert asked[0].cwd == str(bench.engine.plan.folder)
    assert asked[0].env == {RUN: bench.engine.plan.header.run_id, STEP: "A1"}
    assert any("exit" in line for line in asked[0].announced)


async def test_not_while_a_step_is_at_work(bench: Bench) -> None:
    said: list[RunbookError] = []

    async def tries(ctx: Context) -> None:
        assert bench.engine is not None
        with pytest.raises(UsageError) as raised:
            await bench.engine.shell("A1", _never)
        said.append(raised.value)

    bench.world.behaviour["A1"] = tries
    await bench.walk(stage(check("A1")))
    assert said[0].what == "A1 is at work"
    assert not any(isinstance(event, ShellOpened) for event in bench.events)


async def test_a_variable_that_holds_a_secret_is_withheld(
    bench: Bench, away: Callable[[Opens], Away], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_WORD", "before s3cret&pin after")
    withheld: list[frozenset[str]] = []

    async def lend(request: TerminalRequest) -> int:
        withheld.append(request.withheld)
        return 0

    async def opens(engine: Engine) -> None:
        engine.redactor.learn(Secret.from_text("s3cret&pin"))
        await engine.shell("A1", lend)

    away(opens)
    await bench.walk(stage(check("A1")))
    assert withheld == [frozenset({"VAULT_WORD"})]


async def test_a_run_that_is_stopped_ends_it_before_its_record_ends(
    bench: Bench, away: Callable[[Opens], Away]
) -> None:
    gone: list[str] = []

    async def lend(request: TerminalRequest) -> int:
        assert bench.engine is not None
        bench.engine.stop("the terminal went away")
        try:
            await asyncio.Event().wait()
        finally:
            gone.append("ended")
        return 0

    away(lambda engine: engine.shell("A1", lend))
    await bench.walk(stage(check("A1")))
    assert gone == ["ended"]
    assert [event for event in bench.events if isinstance(event, ShellEnded | RunFinished)] == [
        ShellEnded("A1", None),
        RunFinished("stopped", "the terminal went away"),
    ]


async def test_one_that_cannot_be_started_is_told_and_the_run_goes_on(
    bench: Bench, away: Callable[[Opens], Away]
) -> None:
    async def lend(request: TerminalRequest) -> int:
        raise StepError("it cannot be started")

    async def opens(engine: Engine) -> None:
        with pytest.raises(StepError):
            await engine.shell("A1", lend)

    away(opens)
    await bench.walk(stage(check("A1")))
    assert ShellEnded("A1", None) in bench.events
    assert bench.events[-1] == RunFinished("green")


async def _never(request: TerminalRequest) -> int:
    raise AssertionError("the terminal was given away")
