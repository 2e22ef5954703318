"""The check `document`: JMESPath statements, and the place of what does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from checks.documents.assertion import Assertion, same
from checks.documents.document import Document, parse
from checks.documents.places import Places
from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from runbook.files.problems import Mark
from runbook.outcome import Outcome, Verdict
from tests.stand_in import StandIn

TEXT = """\
services:
  web:
    image: nginx:1.27
    ports: [80, 443]
    labels:
      team: infra
  db:
    image: postgres:latest
    replicas: 1
    empty: []
    nothing:
"""
PLACES = Places(parse(TEXT, "yaml"))


def judge(**assertion: Any) -> list[tuple[bool, str, Mark | None]]:
    findings = Assertion.model_validate(assertion).judge(PLACES)
    return [(finding.state is Said.RIGHT, finding.text, finding.mark) for finding in findings]


@pytest.mark.parametrize(
    "assertion",
    [
        {"at": "services.web.image", "equals": "nginx:1.27"},
        {"at": "services.web.image", "matches": ":[0-9.]+$"},
        {"at": "services.db.replicas", "equals": 1},
        {"at": "services.db.replicas", "in": [1, 2]},
        {"at": "services.web.ports", "length": 2, "in": [80, 443]},
        {"at": "services.web.ports[]", "equals": [80, 443]},
        {"at": "services.db.empty", "present": True, "length": 0},
        {"at": "services.db.nothing", "absent": True},
        {"at": "services.db.nothing", "equals": None},
        {"at": "services.*.privileged", "absent": True},
        {"at": "services.*.image | length(@)", "equals": 2},
        {"at": "keys(services)", "equals": ["web", "db"]},
        {"at": "services.web.labels", "equals": {"team": "infra"}},
        {"at": "services.web.labels", "length": 1},
    ],
)
def test_what_holds(assertion: dict[str, Any]) -> None:
    assert [held for held, _, _ in judge(**assertion)] == [True]


@pytest.mark.parametrize(
    ("assertion", "said", "mark"),
    [
        ({"at": "services.web.image", "equals": "x"}, 'is "nginx:1.27", expected "x"', Mark(3, 12)),
        ({"at": "services.*.image", "matches": ":[0-9]"}, 'is "postgres:latest", which does not match', Mark(8, 12)),
        ({"at": "services.web.ports", "in": [80]}, "is 443, expected one of 80", Mark(4, 17)),
        ({"at": "services.web.ports[1]", "equals": 80}, "is 443, expected 80", Mark(4, 17)),
        ({"at": "services.web.ports[-1]", "equals": 80}, "is 443, expected 80", Mark(4, 17)),
        ({"at": "services.web.ports[7]", "equals": 80}, "is not there, expected 80", Mark(4, 5)),
        ({"at": "services.web.ports[1:]", "in": [80]}, "is 443, expected one of 80", Mark(4, 17)),
        ({"at": "services.web.ports", "length": 1}, "has the length 2, expected 1", Mark(4, 5)),
        ({"at": "services.db.replicas", "length": 1}, "has no length, expected 1", Mark(9, 15)),
        ({"at": "services.db.replicas", "equals": True}, "is 1, expected true", Mark(9, 15)),
        ({"at": "services.db.replicas", "equals": "1"}, 'is 1, expected "1"', Mark(9, 15)),
        ({"at": "services.db.empty", "matches": "x"}, "is an empty list", Mark(10, 5)),
        ({"at": "services.db.healthcheck.timeout", "present": True}, "is not there", Mark(7, 3)),
        ({"at": "services.cache", "present": True}, "is not there", Mark(1, 1)),
        ({"at": "services.*.privileged", "present": True}, "is not there", Mark(1, 1)),
        ({"at": "services.web.labels", "absent": True}, 'is {"team": "infra"}, and must not be there', Mark(5, 5)),
        ({"at": "services.web.labels.team", "absent": True}, 'is "infra", and must not be there', Mark(6, 13)),
        (
            {"at": "services.*[] | [?image=='postgres:latest'].replicas", "equals": [2]},
            "is [1], expected [2]",
            Mark(9, 15),
        ),
        ({"at": "length(services.db.replicas)", "equals": 1}, "cannot be evaluated", Mark(1, 1)),
    ],
)
def test_what_does_not_hold_is_told_with_its_place(assertion: dict[str, Any], said: str, mark: Mark) -> None:
    ((held, text, place),) = judge(**assertion)
    assert not held
    assert said in text
    assert place == mark


def test_every_item_that_does_not_hold_is_told() -> None:
    assert len(judge(at="services.web.ports", matches="x")) == 2


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
        max_leaves=12,
    ),
    st.lists(
        st.sampled_from(
            [".a", ".b", ".c", "[0]", "[-1]", "[*]", "[]", ".*", "[?a]", "[?a=='b'].c", "[1:]", " | [0]", ".{a: b}"]
        ),
        max_size=4,
    ),
)
def test_what_is_found_is_what_jmespath_finds(value: object, steps: list[str]) -> None:
    import json

    expression = "@" + "".join(steps)
    plain = json.loads(json.dumps(value))
    assert Places(parse(json.dumps(value), "json")).ask(expression).value == jmespath.search(expression, plain)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "a"},
        {"at": "a.", "present": True},
        {"at": "a", "matches": "("},
        {"at": "a", "present": False},
        {"at": "a", "absent": True, "equals": 1},
        {"at": "a", "in": []},
        {"at": "a", "length": -1},
        {"at": "a", "equal": 1},
    ],
)
def test_assertions_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Assertion.model_validate(wrong)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        ([1], (1,), True),
        ({"a": 1}, {"a": True}, False),
    ],
)
def test_values_are_compared_as_json_has_it(one: object, other: object, alike: bool) -> None:
    assert same(one, other) is same(other, one) is alike


async def run(folder: Path, name: str, text: str, **params: Any) -> Outcome:
    (folder / name).write_text(text)
    return await StandIn(folder).run(Document, path=name, **params)


def findings(outcome: Outcome) -> tuple[DocumentFinding, ...]:
    (evidence,) = outcome.evidence
    assert isinstance(evidence, DocumentJudged)
    return evidence.those(Said.WRONG)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.json", '{"x":\n {"y": 1}}', '{"y": 1}}'),
        ("a.json.example", '{"x":\n {"y": 1}}', '{"y": 1}}'),
        ("a.yml", "x:\n  y: 1\n", "  y: 1"),
        ("a.toml", "[x]\ny = 1\n", "y = 1"),
        ("noname", "x:\n  y: 1\n", "  y: 1"),
    ],
)
async def test_the_format_follows_from_the_name(tmp_path: Path, name: str, text: str, line: str) -> None:
    good = await run(tmp_path, name, text, expect=[{"at": "x.y", "equals": 1}])
    assert good.verdict is Verdict.PASSED
    bad = await run(tmp_path, name, text, expect=[{"at": "x.y", "equals": 2, "because": "it was so"}])
    (finding,) = findings(bad)
    assert (finding.line, finding.excerpt.strip(), finding.because) == (2, line.strip(), "it was so")
    assert bad.symptom == "value"


async def test_of_a_private_file_nothing_is_shown(tmp_path: Path) -> None:
    text = "a: hunter2\nb: [hunter2]\n"
    expect = [
        {"at": "a", "equals": "x"},
        {"at": "b", "matches": "x"},
        {"at": "a", "absent": True},
        {"at": "b", "present": True},
    ]
    outcome = await run(tmp_path, "s.yml", text, private=True, expect=expect)
    assert [finding.line for finding in findings(outcome)] == [1, 2, 1]
    shown = outcome.summary + "\n".join(outcome.evidence[0].plain())
    assert "hunter2" not in shown
    assert "sha" not in shown.lower()


@pytest.mark.parametrize(
    ("prepare", "symptom"),
    [
        (lambda path: None, "missing"),
        (lambda path: path.mkdir(), "type"),
        (lambda path: path.write_bytes(b"a: \xff\n"), "not text"),
        (lambda path: path.write_bytes(b"#" * (1 << 20) + b"#"), "too large"),
        (lambda path: path.write_text("a: [\n"), "malformed"),
        (lambda path: path.symlink_to("loop.yml"), "missing"),
    ],
)
async def test_what_cannot_be_judged_fails(tmp_path: Path, prepare: Any, symptom: str) -> None:
    prepare(tmp_path / "a.yml")
    outcome = await StandIn(tmp_path).run(Document, path="a.yml", expect=[{"at": "a", "absent": True}])
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
