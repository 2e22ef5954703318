"""The engine under random verdicts, decisions and stops: what holds whatever happens."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.context import Context
from runbook.errors import StepError
from runbook.event import Event
from runbook.operator import Decided, Decision
from runbook.outcome import Outcome, Verdict
from runbook.record import events as ev
from runbook.record.journal import read_events
from runbook.record.state import fold
from tests.engine.world import Bench, action, check, stage

ends = st.sampled_from(["green", "red", "error", "defect", "doubt"])
decisions = st.sampled_from([Decided(Decision.RETRY), Decided(Decision.SKIP, "because"), Decided(Decision.STOP)])


def behave(end: str) -> Outcome | None:
    match end:
        case "red":
            return Outcome.failed("red")
        case "error":
            raise StepError("lost")
        case "defect":
            raise KeyError("x")
        case "doubt":
            return Outcome.in_doubt("who knows")
        case _:
            return None


@settings(max_examples=60, deadline=None)
@given(
    plan=st.lists(st.tuples(st.booleans(), st.lists(ends, min_size=1, max_size=3)), min_size=1, max_size=5),
    choices=st.lists(decisions, max_size=8),
    stop_after=st.none() | st.integers(0, 20),
)
def test_whatever_happens_the_record_tells_it(
    plan: list[tuple[bool, list[str]]], choices: list[Decided], stop_after: int | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.operator.decisions = list(choices)
        steps: list[dict[str, Any]] = []
        for number, (acts, verdicts) in enumerate(plan):
            step_id = f"A{number}"
            rest = list(verdicts)
            bench.world.behaviour[step_id] = lambda ctx, rest=rest: behave(rest.pop(0) if rest else "red")
            facts = {"requires": [f"f{number - 1}"] if number else [], "establishes": [f"f{number}"]}
            steps.append(action(step_id, irreversible=True, **facts) if acts else check(step_id, **facts))

        def maybe_stop(_: Event) -> None:
            if stop_after is not None and len(bench.events) == stop_after and bench.engine:
                bench.engine.stop("enough")

        bench.on_event = maybe_stop
        asyncio.run(bench.walk(stage(*steps), facts={f"f{n}": f"fact {n}" for n in range(len(plan))}))

        told = list(read_events(bench.folder / "run" / "journal.jsonl"))
        assert told == bench.events, "what is on disk is what was shown"
        assert isinstance(told[-1], ev.RunFinished)
        state = fold(told)
        for number, (acts, _) in enumerate(plan):
            step_id = f"A{number}"
            ran = bench.world.ran.count(step_id)
            assert (
                ran == sum(isinstance(e, ev.StepStarted) and e.step == step_id for e in told) or stop_after is not None
            )
            if acts:
                assert ran <= 1, "an irreversible action ran twice"
            if ran and number:
                assert f"f{number - 1}" in state.facts, "a step ran without the fact it requires"
        all_green = all(state.step(f"A{n}").status.green for n in range(len(plan)))
        assert (state.finished == "green") <= all_green
        if all_green and stop_after is None:
            assert state.finished == "green"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(Verdict)))
def test_only_green_outcomes_establish_facts(verdict: Verdict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))

        def end(ctx: Context) -> Outcome | None:
            return None if verdict is Verdict.PASSED else Outcome(verdict, "x") if not verdict.green else None

        bench.world.behaviour["A0"] = end
        asyncio.run(bench.walk(stage(check("A0", establishes=["f"])), facts={"f": "It is so"}))
        assert ("f" in fold(bench.events).facts) == verdict.green
