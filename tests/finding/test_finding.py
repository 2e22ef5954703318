"""Search over steps and lines."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.files import CommandOutput, Statements
from runbook.finding import Found, Steps, matching, onward, pattern, spans
from runbook.model import Runbook
from runbook.outcome import Outcome
from runbook.record.events import StepFinished, StepSkipped
from runbook.record.state import RunState, fold

SAID = Statements(statements=("the door is closed",), confirmed=(True,), by="anna")


def runbook(steps: int = 3) -> Runbook:
    made = [
        {"id": f"A{n}.look", "title": f"Look at slot {n}", "goal": "It is ours.", "check": "slots"}
        for n in range(steps)
    ]
    last = {"id": "B.wipe", "title": "Wipe the volume", "action": "docker.volume.recreate", "irreversible": True}
    stages = [
        {"id": "A", "title": "HSM works", "steps": made},
        {"id": "B", "title": "Cutover", "steps": [last]},
    ]
    return Runbook.model_validate({"runbook": 1, "id": "r", "title": "R", "stages": stages})


STEPS = Steps(runbook().stages)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SLOT 1", ["A1.look"]),
        ("a2.", ["A2.look"]),
        ("check slots", ["A0.look", "A1.look", "A2.look"]),
        ("cutover", ["B.wipe"]),
        ("irreversible", ["B.wipe"]),
        ("hsm works", ["A0.look"]),
        ("waiting", ["A0.look", "A1.look", "A2.look", "B.wipe"]),
        ("look at slot 1 a", []),
        ("", []),
        ("  ", []),
    ],
)
def test_steps_are_found_by_what_the_runbook_says(text: str, found: list[str]) -> None:
    assert STEPS.find(text, RunState()) == found


def test_steps_are_found_by_what_the_run_says() -> None:
    steps = Steps(runbook().stages)
    assert steps.find("door", RunState()) == []
    state = fold([StepFinished("A1.look", 1, Outcome.passed("it is so", SAID)), StepSkipped("A2.look", "no time")])
    assert steps.find("door", state) == ["A1.look"]
    assert steps.find("passed", state) == ["A1.look"]
    assert steps.find("it is so", state) == ["A1.look"]
    assert steps.find("NO TIME", state) == ["A2.look"]
    again = fold([StepFinished("A1.look", 2, Outcome.failed("another token"))], state)
    assert steps.find("door", again) == [], "what an earlier attempt found is gone"
    assert steps.find("another", again) == ["A1.look"]


def test_lines_say_where() -> None:
    state = fold([StepFinished("A1.look", 1, Outcome.failed("slot 1 is empty"))])
    assert STEPS.lines("slot 1", state) == [
        Found("A1.look", "title", "Look at slot 1"),
        Found("A1.look", "found", "slot 1 is empty"),
    ]


def test_a_folded_line_is_found() -> None:
    assert spans("two words", "a line of two\n    words") == [(10, 23)]


def test_a_word_that_goes_on_in_the_next_line_is_found() -> None:
    sought = pattern("tmp/ROOT_ca.crt", folded=True)
    assert sought is not None
    assert [match.span() for match in sought.finditer("in /tmp/root_\n      ca.crt")] == [(4, 26)]
    assert not sought.search("in /tmp/root_ ca.crt")


def test_nothing_in_what_is_sought_is_an_expression() -> None:
    assert spans(".*[", "a .*[ b .*[") == [(2, 5), (8, 11)]
    assert list(matching("a+", ["aa", "a+", "b"])) == [1]


@given(st.text(min_size=1, max_size=5), st.lists(st.text(max_size=8), max_size=6))
def test_a_text_is_found_in_whatever_holds_it(text: str, lines: list[str]) -> None:
    if text.split():
        assert spans(text, f"ä {text} ö")
        assert len(lines) in matching(text, [*("" for _ in lines), text])
    else:
        assert not spans(text, f"ä {text} ö")


@pytest.mark.parametrize(
    ("here", "direction", "index"),
    [(3, 0, 0), (3, 1, 1), (3, -1, 3), (5, 0, 1), (4, 1, 1), (4, -1, 0), (9, 1, 0), (9, -1, 2), (9, 0, 3), (10, 0, 0)],
)
def test_going_on_from_a_place(here: int, direction: int, index: int) -> None:
    assert onward([3, 5, 7, 9], here, direction) == index


def test_nowhere_to_go() -> None:
    assert onward([], 3, 1) == -1


def test_five_thousand_steps_are_searched_within_a_frame() -> None:
    made = runbook(5_000)
    text = "\n".join(f"line {n}" for n in range(20))
    output = CommandOutput(argv=("ls",), cwd="/", exit_code=0, stdout=text, stderr="")
    state = fold([StepFinished("A0.look", 1, Outcome.passed("found", output))])
    ended = state.step("A0.look")
    state = RunState(steps={step.id: ended for _, step in made.steps()})
    steps = Steps(made.stages)
    assert len(steps.find("line 19", state)) == 5_001
    took = []
    for text in ("s", "sl", "slot 4", "slot 49", "none of these", "line 19"):
        began = perf_counter()
        steps.find(text, state)
        took.append(perf_counter() - began)
    assert sorted(took)[3] < 0.016, took
