"""Events become plain values and come back as they were."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.files import CommandOutput
from checks.evidence.slots import SlotInfo
from runbook.event import Event, Level
from runbook.outcome import Evidence, Outcome, Verdict
from runbook.record import events as ev
from runbook.record.events import JOURNALLED
from runbook.record.records import UnknownEvidence, UnreadableRecord, event_of, fields_of, plain
from runbook.secrets import MASK, Secret
from tests.record.sample import EVENTS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVIDENCE = st.builds(
    CommandOutput,
    argv=st.lists(TEXT, max_size=3).map(tuple),
    cwd=TEXT,
    exit_code=st.none() | st.integers(0, 255),
    stdout=TEXT,
    stderr=TEXT,
)
OUTCOME = st.builds(
    Outcome, st.sampled_from(Verdict), TEXT, st.lists(EVIDENCE, min_size=1, max_size=3).map(tuple), TEXT, TEXT
)
BY_HINT: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "str | None": st.none() | TEXT,
    "int": st.integers(0, 2**70),
    "int | None": st.none() | st.integers(0, 15),
    "float": st.floats(allow_nan=False),
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "tuple[str, ...]": st.lists(TEXT, max_size=3).map(tuple),
    "Mapping[str, str]": st.dictionaries(TEXT, TEXT, max_size=3),
    "Mapping[str, Any]": st.dictionaries(TEXT, JSON, max_size=3),
    "Outcome": OUTCOME,
}


def _any(cls: type[Event]) -> st.SearchStrategy[Event]:
    hints = {field.name: str(field.type).removeprefix("Annotated[").split(", Level.")[0] for field in fields(cls)}
    return st.builds(cls, **{name: BY_HINT[hint] for name, hint in hints.items()})


def _round_trip(event: Event) -> Event:
    text = rfc8785.dumps({name: field.value for name, field in fields_of(event).items()})
    return event_of(event.type, json.loads(text))


def test_the_journal_of_the_tests_holds_every_type() -> None:
    assert {event.type for event in EVENTS} == set(JOURNALLED)


@given(st.one_of([_any(cls) for cls in JOURNALLED.values()]))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    assert _round_trip(event) == event


@given(JSON | st.floats() | st.binary(max_size=4) | st.sets(st.integers(), max_size=3) | st.integers())
def test_plain_values_are_the_same_for_every_json_reader(value: Any) -> None:
    text = rfc8785.dumps(plain(value))
    assert rfc8785.dumps(json.loads(text, parse_float=pytest.fail, parse_constant=pytest.fail)) == text


def test_what_no_reader_keeps_exactly_becomes_text() -> None:
    assert plain(2**53) == "9007199254740992"
    assert plain(0.1) == "0.1"
    assert plain({1: b"\x00\xff"}) == {"1": "00ff"}
    assert plain("broken \udc80 name") == "broken \\udc80 name"
    with pytest.raises(TypeError, match="object cannot stand in a record"):
        plain([object()])


def test_a_secret_that_strays_into_an_event_is_masked() -> None:
    event = ev.StepStarted("A", 1, "k", {"pin": Secret.from_text("648219")})
    assert fields_of(event)["params"].value == {"pin": MASK}


def test_levels_come_from_the_fields() -> None:
    header, finished = fields_of(EVENTS[0]), fields_of(EVENTS[10])
    assert header["rehearsal"].level is Level.PUBLIC
    assert header["operator"].level is Level.INTERNAL
    assert finished["outcome.verdict"].level is Level.PUBLIC
    assert finished["outcome.evidence.2"].level is Level.INTERNAL


def test_evidence_keeps_its_class_also_inside_evidence() -> None:
    slot = SlotInfo(
        slot_id=2**64 - 1, description="d", manufacturer="m", flags=(), hardware_version="1", firmware_version="1"
    )
    event = _round_trip(ev.StepFinished("A", 1, Outcome.passed("ok", slot)))
    assert isinstance(event, ev.StepFinished)
    assert event.outcome.evidence == (slot,)


def test_evidence_of_an_unknown_kind_survives_and_prints_its_data() -> None:
    values = {name: field.value for name, field in fields_of(EVENTS[10]).items()}
    values["outcome.evidence.1"] = {"kind": "horoscope", "data": {"sign": "crab", "luck": {"monday": ["good", "bad"]}}}
    event = event_of("step.finished", values)
    assert isinstance(event, ev.StepFinished)
    unknown = event.outcome.evidence[0]
    assert isinstance(unknown, UnknownEvidence)
    assert list(unknown.plain()) == [
        "evidence of the kind horoscope, which is not installed here",
        "  sign: crab",
        "  luck:",
        "    monday:",
        "      1: good",
        "      2: bad",
    ]
    assert fields_of(event)["outcome.evidence.1"].value == values["outcome.evidence.1"]


def test_evidence_written_by_another_version_of_its_class_survives() -> None:
    values = {name: field.value for name, field in fields_of(EVENTS[10]).items()}
    values["outcome.evidence.1"] = {"kind": "command", "data": {"no": "longer"}}
    event = event_of("step.finished", values)
    assert isinstance(event, ev.StepFinished)
    assert isinstance(event.outcome.evidence[0], UnknownEvidence)


def test_evidence_classes_are_found_without_importing_the_checks_first() -> None:
    import subprocess
    import sys

    code = (
        "from runbook.record.records import event_of\n"
        "o={'outcome.verdict':'passed','outcome.summary':'','outcome.symptom':'','outcome.remedy':'',"
        "'outcome.evidence.1':{'kind':'statements','data':{'statements':['x'],'confirmed':[True],'by':'me'}}}\n"
        "e=event_of('step.finished',{'step':'A','attempt':1,**o})\n"
        "print(type(e.outcome.evidence[0]).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Statements\n"


@pytest.mark.parametrize(
    ("type_", "fields_", "said"),
    [
        ("run.paused", {}, "does not know"),
        ("stage.started", {}, "lacks a field"),
        ("stage.started", {"stage": 5}, "missing or wrong"),
        ("step.finished", {"step": "A", "attempt": 1}, "missing or wrong"),
    ],
)
def test_what_cannot_be_read_says_so(type_: str, fields_: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableRecord, match=said):
        event_of(type_, fields_)


def test_a_field_that_came_later_has_its_default() -> None:
    event = event_of("run.finished", {"state": "green"})
    assert event == ev.RunFinished("green", "")


def test_every_evidence_kind_is_unique() -> None:
    from runbook.record.records import _load_kinds

    _load_kinds()
    found: dict[str, type[Evidence]] = {}
    todo = list(Evidence.__subclasses__())
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        if cls.__module__.startswith(("checks.", "runbook.")):
            assert found.setdefault(cls.kind, cls) is cls
