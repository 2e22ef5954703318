"""What a step knows of the attempt before, and what it shows while it is at work."""

from __future__ import annotations

from runbook.context import Context
from runbook.operator import Decided, Decision
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.secrets import MASK, Secret
from tests.engine.world import Bench, Said, Script, check, stage


async def test_a_retry_knows_how_the_attempt_before_ended_also_after_the_run_was_left(bench: Bench) -> None:
    seen: list[str | None] = []

    def look(ctx: Context) -> Outcome:
        seen.append(ctx.last.summary if ctx.last else None)
        number = len(seen)
        return Outcome.failed(f"red {number}", Said(word="x")) if number < 3 else Outcome.passed("fine", Said(word="x"))

    bench.world.behaviour["A1"] = look
    bench.operator.decisions = [Decided(Decision.RETRY)]
    await bench.walk(stage(check("A1"), check("A2")))
    assert seen == [None, "red 1"]
    await bench.resume(Script())
    assert seen == [None, "red 1", "red 2"]
    assert bench.events[-1] == ev.RunFinished("green")


async def test_what_is_shown_on_the_way_is_redacted_and_not_recorded(bench: Bench) -> None:
    def show(ctx: Context) -> None:
        ctx.redactor.learn(Secret(b"648219"))
        ctx.show(Said(word="half of it"))
        ctx.show(Said(word="PIN 648219"))

    bench.world.behaviour["A1"] = show
    await bench.walk(stage(check("A1")))
    shown = bench.of(ev.StepShown)
    assert [event.evidence for event in shown] == [Said(word="half of it"), Said(word=f"PIN {MASK}")]
    assert "half of it" not in (bench.folder / "run" / "journal.jsonl").read_text()
