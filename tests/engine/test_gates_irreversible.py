"""What cannot be undone: never without its gate, never twice unasked (design §10, 3)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.context import Context
from runbook.model import Runbook
from runbook.operator import Condition, Decided, Decision, PointOfNoReturnRequest
from runbook.outcome import Outcome
from runbook.plain.answers import Answers
from runbook.plain.scripted import ScriptedOperator
from runbook.probing import Answer
from runbook.record import events as ev
from runbook.run import gatekeeper
from tests.engine.world import Bench, Said, action, check, stage

PROBE = {"check": "do", "word": "probe"}
DONE = Decided(Decision.DONE, "the other shift did it")
RETRY = Decided(Decision.RETRY, "it has to be")


def wipe(**rest: Any) -> dict[str, Any]:
    """A step that cannot be undone, as the runbook has it."""
    step = {"word": "disk", "irreversible": True, "probe": PROBE, "backout": ["Restore the snapshot"], **rest}
    return action("A1", **{"gate": {"phrase": "WIPE {{ word }}"}, **step})


def behaves(bench: Bench, *, probes: list[Outcome], deeds: list[Outcome] | None = None) -> Callable[[Context], Any]:
    """The probe and the deed answer as listed; the last answer holds on."""

    def answer(_: Context) -> Outcome | None:
        given = probes if bench.world.words[-1] == "probe" else (deeds or [])
        return given.pop(0) if len(given) > 1 else given[0] if given else None

    return answer


NOT_DONE, IS_DONE = Outcome.failed("the disk is full"), Outcome.passed("the disk is empty", Said(word="0 bytes"))


def deeds(bench: Bench) -> int:
    return bench.world.words.count("disk")


async def test_the_point_of_no_return_tells_all_and_what_holds(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE])
    bench.operator.typed = ["19:00-23:30"]
    lit = check("A0", establishes=["lit"])
    guarded = wipe(requires=["lit"], gate={"after": ["A0"], "phrase": "WIPE {{ word }}", "confirm": "Wipe {{ word }}?"})
    first = {**stage(lit, guarded), "window": {"ask": "Downtime"}}
    await bench.walk(first, facts={"lit": "It is lit"})
    (request,) = [asked for asked in bench.operator.asked if isinstance(asked, PointOfNoReturnRequest)]
    assert request.commands == ("do", '  word: "disk"')
    assert request.conditions == (
        Condition("the fact `lit`: It is lit (established by A0)", holds=True),
        Condition("step A0 (A0) is green", holds=True),
        Condition("the window of stage A is open until 2026-11-21 23:30 +01:00 (for 3 h 40 min)", holds=True),
    )
    assert request.probed is not None
    assert (request.probed.answer, request.probed.outcome) == (Answer.NOT_DONE, NOT_DONE)
    assert (request.question, request.phrase) == ("Wipe disk?", "WIPE disk")
    assert request.backout == ("Restore the snapshot",)
    assert deeds(bench) == 1


async def test_the_probe_is_on_record_before_the_question_and_the_question_before_the_deed(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE])
    await bench.walk(stage(wipe()))
    names = [event.type for event in bench.events if getattr(event, "step", "") == "A1"]
    assert names == ["step.probed", "prompt.shown", "prompt.answered", "step.started", "step.finished"]


async def test_who_turns_back_has_done_nothing_and_may_come_again(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE])
    answers = iter([False, True])

    async def point(request: PointOfNoReturnRequest) -> bool:
        return next(answers)

    bench.operator.point_of_no_return = point  # type: ignore[method-assign]
    bench.operator.decisions = [Decided(Decision.RETRY)]
    await bench.walk(stage(wipe()))
    first, second = bench.of(ev.StepFinished)
    assert first.outcome.symptom == "gate declined"
    assert second.outcome.verdict.green
    assert deeds(bench) == 1


async def test_what_is_done_already_is_taken_as_done_without_being_done(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[IS_DONE])
    bench.operator.decisions = [DONE]
    await bench.walk(stage(wipe(establishes=["wiped"]), check("A2", requires=["wiped"])), facts={"wiped": "It is"})
    assert deeds(bench) == 0
    assert bench.operator.asked[:1] == [] or not isinstance(bench.operator.asked[0], PointOfNoReturnRequest)
    moment = next(moment for moment in bench.operator.moments if moment.probed)
    assert Decision.RUN not in moment.allowed, "the key that runs a step does not run this one"
    assert bench.of(ev.StepSettled) == [ev.StepSettled("A1", "done", DONE.reason)]
    assert bench.of(ev.StepStarted)[-1].step == "A2"
    assert [event for event in bench.of(ev.StepStarted) if event.step == "A1"] == []
    assert bench.engine is not None
    assert any(DONE.reason in line for line in bench.engine.state.deviations)
    assert bench.events[-1] == ev.RunFinished("green")


async def test_what_is_done_already_is_done_again_only_through_the_gate(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[IS_DONE])
    bench.operator.decisions = [RETRY]
    bench.operator.agrees = False
    await bench.walk(stage(wipe()))
    (request,) = bench.operator.asked[:1]
    assert isinstance(request, PointOfNoReturnRequest)
    assert request.probed is not None
    assert request.probed.answer is Answer.DONE
    assert deeds(bench) == 0


async def test_a_probe_that_cannot_tell_leaves_it_to_the_person(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[Outcome.errored("no answer")])
    await bench.walk(stage(wipe()))
    (request,) = bench.operator.asked
    assert request.probed.answer is Answer.CANNOT_TELL
    assert deeds(bench) == 1


@pytest.mark.parametrize("gate", [{}, {"two_person": False}, {"after": ["A0"]}])
async def test_a_gate_that_asks_nothing_is_asked_all_the_same(bench: Bench, gate: dict[str, Any]) -> None:
    """The validator refuses such a runbook; the engine does not rely on it."""
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE])
    bench.operator.agrees = False
    await bench.walk(stage(check("A0"), wipe(gate=gate)))
    (request,) = [asked for asked in bench.operator.asked if isinstance(asked, PointOfNoReturnRequest)]
    assert request.question == "Start A1, which cannot be undone?"
    assert deeds(bench) == 0


async def test_a_stage_picked_out_of_the_runbook_does_not_slip_past_its_gate(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE])
    second = {**stage(wipe(gate={"after": ["B"], "phrase": "WIPE"})), "id": "A"}
    await bench.walk(stage(check("B1"), id="B"), second, selected=("A",))
    assert bench.world.ran == [], "neither deed nor probe"
    assert bench.of(ev.StepBlocked)[0].unmet == ("stage B (B) is not green; it is not part of this run",)


def headless(bench: Bench, runbook: dict[str, Any], **answers: Any) -> None:
    model = Runbook.model_validate({"runbook": 1, "id": "t", "title": "T", **runbook})
    bench.operator = ScriptedOperator(Answers(answers=1, **answers), model)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("answers", "probe", "done"),
    [
        ({}, NOT_DONE, 0),
        ({"phrases": ["A0"]}, NOT_DONE, 0),
        ({"confirm": {"A1": True}}, NOT_DONE, 0),
        ({"confirm": {"A1": False}, "phrases": "all"}, NOT_DONE, 0),
        ({"confirm": {"A1": True}, "phrases": ["A1"]}, NOT_DONE, 1),
        ({"confirm": {"A1": True}, "phrases": ["A1"]}, IS_DONE, 0),
        ({"confirm": {"A1": True}, "phrases": ["A1"], "again": {"A1": "because"}}, IS_DONE, 0),
    ],
)
async def test_without_a_person_only_what_the_answers_open(
    bench: Bench, answers: dict[str, Any], probe: Outcome, done: int
) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[probe])
    stages = [stage(check("A0"), wipe(gate={"phrase": "WIPE", "confirm": "Sure?"}))]
    headless(bench, {"stages": stages}, **answers)
    await bench.walk(*stages)
    assert deeds(bench) == done
    assert (bench.events[-1].state == "green") == bool(done)


async def test_without_a_person_what_is_done_is_taken_as_done_where_the_answers_say_so(bench: Bench) -> None:
    bench.world.behaviour["A1"] = behaves(bench, probes=[IS_DONE])
    headless(bench, {"stages": [stage(wipe())]}, done={"A1": "as planned"})
    await bench.walk(stage(wipe()))
    assert deeds(bench) == 0
    assert bench.events[-1] == ev.RunFinished("green")


verdicts = st.sampled_from([NOT_DONE, IS_DONE, Outcome.warned("half", Said(word="half")), Outcome.errored("lost")])
ends = st.sampled_from(
    [Outcome.passed("done", Said(word="done")), Outcome.failed("red"), Outcome.in_doubt("who knows")]
)
choices = st.sampled_from([RETRY, DONE, Decided(Decision.SKIP, "no"), Decided(Decision.STOP), Decided(Decision.RUN)])


@settings(max_examples=80, deadline=None)
@given(
    probes=st.lists(verdicts, min_size=1, max_size=4),
    results=st.lists(ends, min_size=1, max_size=4),
    decisions=st.lists(choices, max_size=8),
    answers=st.lists(st.booleans(), max_size=6),
    phrases=st.lists(st.booleans(), max_size=6),
)
def test_every_deed_has_its_own_open_gate_and_a_second_one_was_asked_for(
    probes: list[Outcome],
    results: list[Outcome],
    decisions: list[Decided],
    answers: list[bool],
    phrases: list[bool],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.world.behaviour["A1"] = behaves(bench, probes=list(probes), deeds=list(results))
        bench.operator.decisions = list(decisions)
        given = {"point_of_no_return": list(answers), "type_phrase": list(phrases)}

        async def point(_: Any) -> bool:
            return given["point_of_no_return"].pop(0) if given["point_of_no_return"] else False

        async def phrase(_: Any) -> bool:
            return given["type_phrase"].pop(0) if given["type_phrase"] else False

        bench.operator.point_of_no_return = point  # type: ignore[method-assign]
        bench.operator.type_phrase = phrase  # type: ignore[method-assign]
        asyncio.run(bench.walk(stage(wipe(), check("A2", gate={"after": ["A1"]}))))

        opened = retried = started = 0
        for event in bench.events:
            match event:
                case ev.PromptAnswered(prompt="point_of_no_return", answer="yes"):
                    opened += 1
                case ev.StepRetried(step="A1"):
                    retried += 1
                case ev.StepStarted(step="A1"):
                    started += 1
                    assert opened == 1, "each deed is preceded by a gate of its own"
                    assert started == 1 or retried, "a second deed was decided on, and is a deviation"
                    opened = retried = 0
        assert deeds(bench) == started
        assert ("A2" in bench.world.ran) == (bench.engine is not None and bench.engine.state.step("A1").status.green)


@pytest.mark.parametrize(
    ("fresh", "second", "done"), [(-1.0, IS_DONE, False), (-1.0, NOT_DONE, True), (60.0, IS_DONE, True)]
)
async def test_a_probe_is_asked_again_when_people_took_their_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fresh: float, second: Outcome, done: bool
) -> None:
    monkeypatch.setattr(gatekeeper, "FRESH", fresh)
    bench.world.behaviour["A1"] = behaves(bench, probes=[NOT_DONE, second])
    await bench.walk(stage(wipe()))
    assert deeds(bench) == done
    assert len(bench.of(ev.StepProbed)) == (2 if fresh < 0 else 1)
    if not done:
        assert (
            "its probe said `not done` and says `done` now: the disk is empty"
            in bench.of(ev.StepFinished)[0].outcome.summary
        )
        assert bench.of(ev.StepStarted) == []
