"""What must hold before a step: facts, earlier steps, two people, a yes, a phrase; and what is said where not."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.operator import ConfirmRequest, Decided, Decision, Operator, PhraseRequest
from runbook.outcome import Outcome
from runbook.people.witness import NotApproved
from runbook.record import events as ev
from runbook.record.gate_events import ApprovalGiven
from tests.engine.world import Bench, action, check, stage

SKIP = Decided(Decision.SKIP, "not today")
RETRY = Decided(Decision.RETRY)

PEOPLE = {
    "allowed_signers": "signers",
    "people": {"anna": {"principal": "anna@here"}, "ben": {"principal": "ben@here"}},
}


def red(_: object) -> Outcome:
    return Outcome.failed("it is red")


async def _blocked(bench: Bench, *stages: dict[str, Any], **rest: Any) -> tuple[str, ...]:
    await bench.walk(*stages, **rest)
    (blocked,) = bench.of(ev.StepBlocked)
    unmet: tuple[str, ...] = blocked.unmet
    return unmet


async def test_a_missing_fact_says_which_step_establishes_it_and_how_that_step_stands(bench: Bench) -> None:
    bench.world.behaviour["A1"] = red
    bench.operator.decisions = [SKIP]
    steps = stage(check("A1", establishes=["lit"]), check("A2", requires=["lit"]))
    assert await _blocked(bench, steps, facts={"lit": "It is lit"}) == (
        "the fact `lit` is not established: It is lit (step A1 establishes it and is skipped)",
    )


async def test_a_fact_of_a_stage_left_out_says_so(bench: Bench) -> None:
    stages = stage(check("A1", establishes=["lit"])), stage(check("B1", requires=["lit"]), id="B")
    (said,) = await _blocked(bench, *stages, facts={"lit": "It is lit"}, selected=("B",))
    assert said.endswith("(step A1 establishes it and is not part of this run)")
    assert bench.world.ran == []


async def test_a_stage_that_is_not_green_names_its_first_step_that_is_not(bench: Bench) -> None:
    bench.world.behaviour["A2"] = red
    bench.operator.decisions = [SKIP]
    stages = stage(check("A1"), check("A2"), check("A3")), stage(check("B1", gate={"after": ["A", "A2"]}), id="B")
    assert await _blocked(bench, *stages) == (
        "stage A (A) is not green: A2 (A2) is skipped",
        "step A2 (A2) is not green: it is skipped",
    )


async def test_a_gate_of_two_people_without_any_named_says_where_to_name_them(bench: Bench) -> None:
    (said,) = await _blocked(bench, stage(action("A1", gate={"two_person": True})))
    assert "the site profile `s` does not say who may: add `two_people` there" in said
    assert "docs/approval.md" in said
    assert bench.world.ran == []


class Second:
    """Stands for the second people of a run."""

    def __init__(self, bench: Bench, *answers: str) -> None:
        self.asked: list[Any] = []
        self._bench = bench
        self._answers = list(answers)

    async def begin(self, operator: Operator, *, gated: bool) -> None:
        pass

    async def close(self) -> None:
        pass

    async def obtain(self, step: str, title: str, action: Any, operator: Operator) -> ApprovalGiven:
        self.asked.append((action, len(self._bench.operator.asked), list(self._bench.world.ran)))
        answer = self._answers.pop(0)
        if answer != "yes":
            raise NotApproved(answer)
        return ApprovalGiven(step, "ben", "SHA256:x", at_keyboard=False, statement="", signature="")

    def __call__(self, event: object) -> None:
        if isinstance(event, ev.RunStarted):
            assert self._bench.engine is not None
            self._bench.engine.second_people = self  # type: ignore[assignment]


@pytest.mark.parametrize("irreversible", [True, False])
async def test_a_second_person_approves_before_the_operator_opens_the_gate(bench: Bench, irreversible: bool) -> None:
    bench.site = {"two_people": PEOPLE}
    bench.on_event = second = Second(bench, "yes")
    step = action("A1", word="disk", irreversible=irreversible, gate={"two_person": True, "phrase": "WIPE"})
    await bench.walk(stage(step))
    ((asked, prompts_before, ran_before),) = second.asked
    assert asked.params == {"word": "disk"}
    assert (prompts_before, ran_before) == (0, [])
    assert len(bench.operator.asked) == 1
    assert bench.world.ran == ["A1"]
    if irreversible:
        conditions = {condition.text: condition.holds for condition in bench.operator.asked[0].conditions}
        assert conditions == {"ben approved it with the key SHA256:x": True}


async def test_a_no_of_the_second_person_ends_the_attempt_and_a_yes_serves_once(bench: Bench) -> None:
    bench.site = {"two_people": PEOPLE}
    bench.on_event = second = Second(bench, "ben said no: not now", "yes", "yes")
    bench.world.behaviour["A1"] = lambda _: red(_) if len(bench.world.ran) == 1 else None
    bench.operator.decisions = [RETRY, RETRY]
    await bench.walk(stage(check("A1", gate={"two_person": True})))
    first, *_ = bench.of(ev.StepFinished)
    assert first.outcome.symptom == "gate declined"
    assert "ben said no: not now" in first.outcome.summary
    assert len(second.asked) == 3, "a step that is tried again is approved again"
    assert [ran for _, _, ran in second.asked] == [[], [], ["A1"]]
    assert bench.world.ran == ["A1", "A1"]


async def test_where_nobody_can_be_asked_the_gate_stays_shut(bench: Bench) -> None:
    bench.site = {"two_people": PEOPLE}

    def forget(event: object) -> None:
        if isinstance(event, ev.RunStarted) and bench.engine is not None:
            bench.engine.second_people = None

    bench.on_event = forget
    await bench.walk(stage(action("A1", gate={"two_person": True})))
    assert bench.world.ran == []


async def test_a_gate_that_was_declined_may_be_tried_again_and_asks_everything_again(bench: Bench) -> None:
    answers = iter([True, False, True, True])

    async def phrase(request: PhraseRequest) -> bool:
        bench.operator.asked.append(request)
        return next(answers)

    async def confirm(request: ConfirmRequest) -> bool:
        bench.operator.asked.append(request)
        return next(answers)

    bench.operator.type_phrase = phrase  # type: ignore[method-assign]
    bench.operator.confirm = confirm  # type: ignore[method-assign]
    bench.operator.decisions = [RETRY]
    await bench.walk(stage(action("A1", gate={"confirm": "Sure?", "phrase": "GO"})))
    assert [type(request).__name__ for request in bench.operator.asked[:4]] == ["ConfirmRequest", "PhraseRequest"] * 2
    assert bench.world.ran == ["A1"]
    assert [event.attempt for event in bench.of(ev.StepStarted)] == [1], "the first attempt never began"


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        ("disk", "WIPE disk"),
        ("{{ other }}", "WIPE {{ other }}"),
        ("{% raw %}", "WIPE {% raw %}"),
    ],
)
async def test_a_value_in_the_gates_texts_is_never_looked_at_again(bench: Bench, value: str, phrase: str) -> None:
    bench.operator.typed = [value, "never"]
    inputs = {name: {"type": "string", "ask": f"{name}?"} for name in ("volume", "other")}
    gate = {"phrase": "WIPE {{ word }}", "confirm": "Wipe {{ volume }}?"}
    await bench.walk(stage(action("A1", word="{{ volume }}", gate=gate)), inputs=inputs)
    asked = {type(request): request for request in bench.operator.asked}
    assert asked[PhraseRequest].phrase == phrase
    assert asked[ConfirmRequest].question == f"Wipe {value}?"
    assert bench.world.words == [value]


async def test_an_input_that_only_the_gate_names_is_asked_for_before_it(bench: Bench) -> None:
    bench.operator.typed = ["disk"]
    gate = {"phrase": "WIPE {{ volume }}"}
    inputs = {"volume": {"type": "string", "ask": "Which volume?"}}
    await bench.walk(stage(action("A1", gate=gate)), inputs=inputs)
    assert [type(request).__name__ for request in bench.operator.asked] == ["TextRequest", "PhraseRequest"]
    assert bench.operator.asked[-1].phrase == "WIPE disk"
