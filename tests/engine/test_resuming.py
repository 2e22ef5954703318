"""A run that goes on where its driver was killed: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runbook.context import Context
from runbook.errors import PromptCancelled
from runbook.operator import Attested, AttestRequest, Decided, Decision, PhraseRequest, TextRequest, TranscribeRequest
from runbook.outcome import Outcome, Verdict
from runbook.probing import Answer, TakenAsDone
from runbook.record import events as ev
from runbook.record.journal import read_events
from runbook.record.state import Status, fold
from tests.engine.world import Bench, Said, Script, World, action, check, stage

DONE = Decided(Decision.DONE, "I have looked")
AGAIN = Decided(Decision.RETRY, "it never began")
SKIP = Decided(Decision.SKIP, "done by hand")
PROBE = {"check": "do", "word": "probe"}
THERE = Outcome.passed("it is there", Said(word="there"))
NOT_THERE = Outcome.failed("it is not there", Said(word="nothing"))
HALF = Outcome.warned("half of it is there", Said(word="half"))
NO_ANSWER = Outcome.errored("nobody answers")


class Deed:
    """Behaves as a probe and the action it belongs to, and counts what was really done."""

    def __init__(self, world: World, answer: Outcome) -> None:
        self._world = world
        self.answer = answer
        self.done = 0
        self.probed = 0

    def __call__(self, _: Context) -> Outcome | None:
        if self._world.words[-1] == "probe":
            self.probed += 1
            return self.answer
        self.done += 1
        return None


async def left_in_action(bench: Bench, answer: Outcome = THERE, **step: Any) -> Deed:
    """A run whose driver was killed while A2 was at work."""
    deed = bench.world.behaviour["A2"] = Deed(bench.world, answer)
    await bench.walk(stage(check("A1"), action("A2", **{"probe": PROBE, **step}), check("A3")))
    bench.keep_until(ev.StepStarted, "A2")
    bench.world.ran.clear()
    deed.done = deed.probed = 0
    return deed


STAGES = (
    stage(check("A1", establishes=["lit"], word="{{ serial }}"), check("A2", requires=["lit"])),
    stage(action("B1", probe=PROBE, gate={"after": ["A"]}), check("B2"), id="B"),
)
REST = {
    "facts": {"lit": "It is lit"},
    "inputs": {"serial": {"type": "string", "ask": "Serial?", "source": "paper"}},
}
RECORDS = 18


async def whole(bench: Bench) -> Deed:
    deed = bench.world.behaviour["B1"] = Deed(bench.world, THERE)
    bench.operator.typed = ["D2"]
    await bench.walk(*STAGES, **REST)
    return deed


async def test_the_whole_run_has_as_many_records_as_are_cut_below(bench: Bench) -> None:
    await whole(bench)
    assert len(bench.events) == RECORDS
    assert bench.events[-1] == ev.RunFinished("green")


@pytest.mark.parametrize("records", range(1, RECORDS))
async def test_killed_after_any_record_it_ends_as_if_it_had_not_been(bench: Bench, records: int) -> None:
    deed = await whole(bench)
    before = fold(read_events(bench.folder / "run" / "journal.jsonl"))
    bench.keep(records)
    recorded = list(read_events(bench.folder / "run" / "journal.jsonl"))
    ended = {e.step for e in recorded if isinstance(e, ev.StepFinished)}
    begun = {e.step for e in recorded if isinstance(e, ev.StepStarted)} - ended
    typed = any(isinstance(e, ev.InputGiven) for e in recorded)
    bench.world.ran.clear()
    deed.done = 0
    await bench.resume(Script(decisions=[DONE] if "B1" in begun else [], typed=[] if typed else ["D2"]))

    assert bench.events[-1] == ev.RunFinished("green")
    after = fold(read_events(bench.folder / "run" / "journal.jsonl"))
    assert {name: step.status for name, step in after.steps.items()} == dict.fromkeys(before.steps, Status.PASSED)
    assert after.facts == before.facts
    assert after.inputs == before.inputs
    assert not ended & set(bench.world.ran), "a step that was green was run again"
    assert deed.done == (0 if "B1" in ended | begun else 1)
    stages = [e.stage for e in read_events(bench.folder / "run" / "journal.jsonl") if isinstance(e, ev.StageStarted)]
    assert stages == ["A", "B"]


async def test_a_check_is_simply_run_again(bench: Bench) -> None:
    await bench.walk(stage(check("A1"), check("A2")))
    bench.keep_until(ev.StepStarted, "A2")
    await bench.resume()
    assert [(e.step, e.attempt) for e in bench.of(ev.StepStarted)] == [("A2", 2)]
    assert bench.engine is not None
    assert bench.engine.state.deviations == ()


async def test_an_action_is_probed_and_the_operator_decides(bench: Bench) -> None:
    deed = await left_in_action(bench)
    await bench.resume(Script(decisions=[DONE]))
    (moment,) = [moment for moment in bench.operator.moments if moment.step_id == "A2"]
    assert moment.probed is not None
    assert (moment.probed.answer, moment.probed.outcome.summary) == (Answer.DONE, "it is there")
    assert moment.outcome is not None
    assert moment.outcome.verdict is Verdict.IN_DOUBT
    assert (deed.probed, deed.done) == (1, 0)
    names = [e.type for e in bench.events if getattr(e, "step", "") == "A2"]
    assert names == ["step.probed", "step.settled", "step.finished"]
    assert bench.of(ev.StepSettled) == [ev.StepSettled("A2", "done", "I have looked")]
    finished = bench.of(ev.StepFinished)[0]
    assert (finished.attempt, finished.outcome.verdict) == (1, Verdict.PASSED)
    assert finished.outcome.evidence == (Said(word="there"), TakenAsDone(probe="done", reason="I have looked"))
    assert bench.events[-1] == ev.RunFinished("green")


@pytest.mark.parametrize("answer", [NOT_THERE, HALF, NO_ANSWER], ids=["not done", "partly", "cannot tell"])
async def test_what_is_taken_as_done_against_its_probe_is_a_warning(bench: Bench, answer: Outcome) -> None:
    await left_in_action(bench, answer)
    await bench.resume(Script(decisions=[DONE]))
    assert bench.of(ev.StepFinished)[0].outcome.verdict is Verdict.WARNED
    assert bench.of(ev.StepProbed)[0].outcome == answer


async def test_an_action_that_is_not_done_is_run_again_with_a_reason(bench: Bench) -> None:
    deed = await left_in_action(bench, NOT_THERE)
    await bench.resume(Script(decisions=[AGAIN], phrases=False))
    assert deed.done == 1
    assert bench.of(ev.StepRetried) == [ev.StepRetried("A2", "it never began")]
    assert not any(isinstance(asked, PhraseRequest) for asked in bench.operator.asked)
    assert bench.events[-1] == ev.RunFinished("green")


@pytest.mark.parametrize("answer", [THERE, HALF, NO_ANSWER], ids=["done", "partly", "cannot tell"])
@pytest.mark.parametrize("typed", [True, False])
async def test_an_action_that_may_be_done_is_run_again_with_a_typed_phrase_only(
    bench: Bench, answer: Outcome, typed: bool
) -> None:
    deed = await left_in_action(bench, answer)
    await bench.resume(Script(decisions=[AGAIN], phrases=typed))
    (asked,) = [asked for asked in bench.operator.asked if isinstance(asked, PhraseRequest)]
    assert asked.phrase == "RUN A2 AGAIN"
    assert deed.done == (1 if typed else 0)
    assert bench.events[-1].state == ("green" if typed else "stopped")  # type: ignore[attr-defined]  # RunFinished


async def test_an_action_without_a_probe_is_run_again_with_a_typed_phrase_only(bench: Bench) -> None:
    deed = await left_in_action(bench, probe=None)
    await bench.resume(Script(decisions=[AGAIN], phrases=False))
    assert (deed.probed, deed.done) == (0, 0)
    assert bench.operator.moments[-1].probed is None
    await bench.resume(Script(decisions=[AGAIN]))
    assert deed.done == 1


async def test_a_reason_that_is_missing_is_asked_for(bench: Bench) -> None:
    deed = await left_in_action(bench, NOT_THERE)
    await bench.resume(Script(decisions=[Decided(Decision.RETRY)], typed=["the log is empty"]))
    (asked,) = [asked for asked in bench.operator.asked if isinstance(asked, TextRequest)]
    assert asked.question == "Why is it run again?"
    assert bench.of(ev.StepRetried) == [ev.StepRetried("A2", "the log is empty")]
    assert deed.done == 1


async def test_a_step_in_doubt_can_be_skipped_or_left(bench: Bench) -> None:
    deed = await left_in_action(bench)
    await bench.resume()
    assert bench.events[-1].type == "run.finished"
    assert bench.world.ran == ["A2"], "its probe"
    await bench.resume(Script(decisions=[SKIP]))
    assert deed.done == 0
    assert bench.of(ev.StepSkipped) == [ev.StepSkipped("A2", "done by hand")]
    assert bench.world.ran[-1] == "A3"


async def test_a_gate_that_stays_shut_leaves_the_doubt(bench: Bench) -> None:
    deed = await left_in_action(bench, NOT_THERE, gate={"confirm": "Now?"})
    await bench.resume(Script(decisions=[AGAIN], agrees=False))
    assert deed.done == 0
    await bench.resume(Script(decisions=[AGAIN]))
    assert bench.of(ev.StepProbed), "it was asked again"
    assert deed.done == 1


async def test_what_a_green_step_established_is_made_up_for(bench: Bench) -> None:
    await bench.walk(stage(check("A1", establishes=["lit"]), check("A2", requires=["lit"])), facts={"lit": "It is lit"})
    bench.keep_until(ev.StepFinished, "A1")
    bench.world.ran.clear()
    await bench.resume()
    assert bench.of(ev.FactEstablished) == [ev.FactEstablished("lit", "A1")]
    assert bench.world.ran == ["A2"]


async def test_a_run_that_was_stopped_goes_on(bench: Bench) -> None:
    bench.world.behaviour["A2"] = lambda ctx: bench.engine and bench.engine.stop("enough")
    bench.on_event = lambda event: None
    await bench.walk(stage(check("A1"), check("A2"), check("A3")))
    assert bench.events[-1].state == "stopped"  # type: ignore[attr-defined]  # RunFinished
    bench.world.behaviour.clear()
    bench.world.ran.clear()
    await bench.resume()
    assert bench.events[-1] == ev.RunFinished("green")
    assert bench.world.ran[-1] == "A3"
    assert "A1" not in bench.world.ran


async def test_a_step_that_failed_is_tried_again_and_reads_the_paper_again(bench: Bench) -> None:
    bench.operator.typed = ["wrong"]
    bench.world.behaviour["A1"] = lambda ctx: Outcome.failed("it differs") if bench.world.words[-1] == "wrong" else None
    await bench.walk(stage(check("A1", word="{{ serial }}")), inputs=REST["inputs"])
    assert bench.events[-1].state == "failed"  # type: ignore[attr-defined]  # RunFinished
    await bench.resume(Script(typed=["right"]))
    assert bench.world.words[-1] == "right"
    assert bench.of(ev.StepRetried) == [ev.StepRetried("A1")]
    assert bench.events[-1] == ev.RunFinished("green")


async def test_what_was_typed_blind_in_a_step_that_was_left_is_not_asked_again(bench: Bench) -> None:
    async def compare(ctx: Context) -> None:
        bench.world.words[-1] = await ctx.ask_input("serial")

    bench.operator.typed = ["D2"]
    bench.world.behaviour["A1"] = compare
    await bench.walk(stage(check("A1")), inputs=REST["inputs"])
    bench.keep_until(ev.InputGiven, "")
    await bench.resume()
    assert not any(isinstance(asked, TranscribeRequest) for asked in bench.operator.asked)
    assert bench.world.words[-1] == "D2"
    assert bench.events[-1] == ev.RunFinished("green")


async def test_a_pin_that_was_sent_and_never_answered_is_told_before_anything_else(bench: Bench) -> None:
    async def pin(ctx: Context) -> None:
        await ctx.record(ev.PinAttempt(ctx.step_id, "ours", "user PIN", 3))
        await ctx.record(ev.PinResult(ctx.step_id, "ours", accepted=True, tries_left=3))

    bench.world.behaviour["A1"] = pin
    await bench.walk(stage(check("A1")))
    bench.keep_until(ev.PinAttempt, "A1")
    await bench.resume()
    assert [e.type for e in bench.events[:2]] == ["run.resumed", "pin.result"]
    assert bench.events[1] == ev.PinResult("A1", "ours", accepted=None, tries_left=None)
    bench.keep_until(ev.PinResult, "A1")
    await bench.resume()
    assert bench.of(ev.PinResult)[0].accepted is True, "the one of the second attempt; none is missing"


async def test_deviations_are_shown_at_the_end_and_acknowledged_once(bench: Bench) -> None:
    await left_in_action(bench, NOT_THERE)
    await bench.resume(Script(decisions=[SKIP]))
    (asked,) = [asked for asked in bench.operator.asked if isinstance(asked, AttestRequest)]
    assert asked.statements == ("A2 skipped: done by hand",)
    assert [e.type for e in bench.events[-2:]] == ["deviations.acknowledged", "run.finished"]
    bench.keep(len(list(read_events(bench.folder / "run" / "journal.jsonl"))) - 1)
    await bench.resume()
    assert not any(isinstance(asked, AttestRequest) for asked in bench.operator.asked)
    assert bench.of(ev.DeviationsAcknowledged) == []


async def test_a_run_ends_also_where_nobody_acknowledges(bench: Bench) -> None:
    class Gone(Script):
        async def attest(self, request: AttestRequest) -> Attested:
            raise PromptCancelled("nobody is there")

    await left_in_action(bench)
    await bench.resume(Gone(decisions=[DONE]))
    assert bench.events[-1] == ev.RunFinished("green")
    assert bench.engine is not None
    assert (bench.engine.state.acknowledged, len(bench.engine.state.deviations)) == (0, 1)


async def test_a_signal_while_deviations_are_shown_does_not_change_the_end(bench: Bench) -> None:
    class Slow(Script):
        async def attest(self, request: AttestRequest) -> Attested:
            assert bench.engine is not None
            bench.engine.stop("the terminal has gone away")
            await asyncio.Event().wait()
            return await super().attest(request)

    await left_in_action(bench)
    await bench.resume(Slow(decisions=[DONE]))
    assert bench.events[-1] == ev.RunFinished("green")
    assert bench.of(ev.DeviationsAcknowledged) == []


async def test_a_torn_record_is_cut_and_the_cut_is_on_record(bench: Bench) -> None:
    await bench.walk(stage(check("A1"), check("A2")))
    bench.keep_until(ev.StepFinished, "A1")
    journal: Path = bench.folder / "run" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"at":"2026')
    await bench.resume()
    assert bench.of(ev.RunResumed)[0].cut == 11
    assert fold(read_events(journal)).finished == "green"


async def test_an_action_in_doubt_in_a_run_that_goes_on_is_probed_at_once(bench: Bench) -> None:
    deed = bench.world.behaviour["A1"] = Deed(bench.world, THERE)

    def late(ctx: Context) -> Outcome | None:
        said = deed(ctx)
        return said or Outcome.in_doubt("no answer in time", symptom="deadline")

    bench.world.behaviour["A1"] = late
    bench.operator.decisions = [DONE]
    await bench.walk(stage(action("A1", probe=PROBE)))
    assert bench.of(ev.StepProbed)[0].answer == "done"
    assert deed.done == 1
    assert bench.events[-1] == ev.RunFinished("green")
