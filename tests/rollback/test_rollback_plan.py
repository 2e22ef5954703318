"""What a roll-back is made of, for any run of any procedure: nothing that was not done, the newest first, once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runbook.event import Event
from runbook.files.backouts import undoing
from runbook.model import Role, Runbook
from runbook.outcome import Evidence, Outcome, Verdict
from runbook.record import events as ev
from runbook.record.recovery import Recovered
from runbook.record.runs import ROLLBACK_LIST
from runbook.record.state import RunState, fold
from runbook.run.rollback import Rollback, roll_back


class Seen(Evidence):
    """Something."""

    kind = "seen in a test of roll-backs"


entries = st.sampled_from(
    [
        "By hand",
        {"action": "command", "title": "Back", "run": ["true"]},
        {"check": "files", "title": "So"},
        {"stays": "It"},
    ]
)
steps = st.tuples(st.sampled_from(["action", "check", "attest"]), st.lists(entries, max_size=3), st.booleans())
ends = st.sampled_from(["never", "begun", "found done", *(v.value for v in Verdict if v is not Verdict.SKIPPED)])


@st.composite
def runs(draw: st.DrawFn) -> tuple[Runbook, Recovered]:
    stages = []
    for number in range(draw(st.integers(1, 3))):
        listed: list[dict[str, Any]] = []
        for place, (role, backout, irreversible) in enumerate(draw(st.lists(steps, min_size=1, max_size=4))):
            step = {"id": f"S{number}.{place}", "title": "It", role: "command", "backout": backout}
            listed.append({**step, "irreversible": irreversible and role == "action"})
        stages.append({"id": f"S{number}", "title": "Part", "steps": listed})
    runbook = Runbook.model_validate({"runbook": 1, "id": "any", "title": "Any", "stages": stages})
    events: list[Event] = [ev.RunStarted("r", "any", "Any", "", "s", "", "p", "h", "o", rehearsal=False)]
    for _, step in runbook.steps():
        events += _walked(step.id, draw(ends))
    return runbook, Recovered(events[0], fold(events), {}, "0" * 64, 1, 1, 0, "")  # type: ignore[arg-type]  # the first


def _walked(step: str, end: str) -> list[Event]:
    started, verdicts = ev.StepStarted(step, 1, "command", {}), {verdict.value for verdict in Verdict}
    if end == "begun":
        return [started]
    if end == "found done":
        return [ev.StepFinished(step, 1, Outcome.passed("done already", Seen()))]
    if end in verdicts:
        return [started, ev.StepFinished(step, 1, Outcome(Verdict(end), "it ended", (Seen(),)))]
    return []


def walked(made: Rollback) -> list[str]:
    return [step.id for _, step in made.runbook.steps()]


@given(runs())
def test_what_was_done_and_nothing_else_the_newest_first(run: tuple[Runbook, Recovered]) -> None:
    runbook, recovered = run
    made = roll_back(runbook, recovered)
    expected = []
    for _, step in reversed(list(runbook.steps())):
        now = recovered.state.step(step.id)
        did = now.attempt > 0 if step.role is Role.ACTION else step.role is Role.ATTESTATION and now.status.green
        expected += [way.id for way in undoing(step)] if did else []
    assert walked(made) == [ROLLBACK_LIST, *expected]
    assert len(set(walked(made))) == len(walked(made)), "each has a name of its own"
    for one in made.steps:
        green = recovered.state.step(one.step.id).status.green
        assert bool(one.doubt) is not green
        assert one.ways or one.stays, "what has no way back is said"
    assert set(made.never) == {
        step.id for _, step in runbook.steps() if step.role is Role.ACTION and not recovered.state.step(step.id).attempt
    }
    read = Runbook.model_validate_json(made.attachment)
    assert read.model_dump(mode="json") == made.runbook.model_dump(mode="json"), "a witness reads it back"


@given(runs(), st.data())
def test_what_an_earlier_one_undid_is_not_offered_again(run: tuple[Runbook, Recovered], data: st.DataObject) -> None:
    runbook, recovered = run
    first = roll_back(runbook, recovered)
    ways = walked(first)[1:]
    undone = [way for way in ways if data.draw(st.booleans(), label=way)]
    earlier = fold([ev.StepFinished(way, 1, Outcome.passed("undone", Seen())) for way in undone], RunState())
    second = roll_back(runbook, recovered, [earlier])
    assert walked(second)[1:] == [way for way in ways if way not in undone]
    assert walked(roll_back(runbook, recovered, [earlier, fold([], RunState())])) == walked(second)
