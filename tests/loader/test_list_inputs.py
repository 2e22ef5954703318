"""Inputs that are a list: in the site profile, on the command line, in a step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from runbook.files import inputs
from runbook.files.problems import InvalidDocument
from runbook.input_types import Input
from runbook.run.start import prepare

COHORT = TypeAdapter(Input).validate_python({"type": "list", "ask": "Who?", "pattern": "[A-Z][a-z ]+"})


@pytest.mark.parametrize("text", ["Ann, Ben", " Ann,Ben ,", "Ann\nBen"])
def test_however_it_is_typed(text: str) -> None:
    assert inputs.parse(COHORT, text) == "Ann, Ben"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("Ann, Ann", "`Ann` is listed twice"),
        ("Ann, ben", "the item `ben` does not have the expected form"),
        ("Ann, B\x1ben", "cannot be part of a value"),
    ],
)
def test_what_is_no_such_list(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        inputs.parse(COHORT, text)


@given(st.lists(st.text("abc d.", min_size=1).map(str.strip).filter(bool), min_size=1, unique=True))
def test_what_is_put_together_comes_apart_again(items: list[str]) -> None:
    declared = TypeAdapter(Input).validate_python({"type": "list", "ask": "Who?"})
    value = inputs.parse(declared, inputs.list_text(items))
    assert list(inputs.list_items(value)) == items
    assert inputs.parse(declared, value) == value


def _prepare(folder: Path, cohort: object, values: dict[str, str] | None = None) -> str:
    runbook = {
        "runbook": 1,
        "id": "small",
        "title": "Small",
        "inputs": {"cohort": {"type": "list", "ask": "Who?", "source": "site", "pattern": "[A-Z][a-z]+"}},
        "stages": [
            {
                "id": "A",
                "title": "A",
                "steps": [
                    {"id": "A.told", "title": "x", "check": "checklist", "question": "Told", "items": "{{ cohort }}"}
                ],
            }
        ],
    }
    (folder / "runbook.yaml").write_text(json.dumps(runbook))
    (folder / "site.yaml").write_text(json.dumps({"site": 1, "name": "here", "inputs": {"cohort": cohort}}))
    return prepare(folder / "runbook.yaml", folder / "site.yaml", values or {}).values["cohort"][0]


@pytest.mark.parametrize("cohort", [["Ann", "Ben"], "Ann, Ben"])
def test_a_site_gives_a_list_or_its_text(tmp_path: Path, cohort: object) -> None:
    assert _prepare(tmp_path, cohort) == "Ann, Ben"


def test_the_command_line_gives_it(tmp_path: Path) -> None:
    assert _prepare(tmp_path, "Ann", {"cohort": "Carl,Dora"}) == "Carl, Dora"


@pytest.mark.parametrize(
    ("cohort", "said"),
    [
        (["Ann", "Ben, Carl"], "holds a comma"),
        (["Ann", {"name": "Ben"}], "expected text in each item"),
        (["Ann", None], "expected text in each item"),
        ([], "the list is empty"),
        (["ann"], "does not have the expected form"),
        ({"a": "b"}, "expected one value"),
    ],
)
def test_a_site_that_gives_something_else(tmp_path: Path, cohort: object, said: str) -> None:
    with pytest.raises(InvalidDocument) as told:
        _prepare(tmp_path, cohort)
    (problem,) = told.value.problems
    assert said in problem.message
    assert problem.path.name == "site.yaml"
