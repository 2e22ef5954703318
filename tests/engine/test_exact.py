"""What a step will do, exactly, before anything is known and once it is."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.kind import Registry
from runbook.model import Step
from runbook.run.exact import exact

REGISTRY = Registry()


def _step(**keys: Any) -> Step:
    return Step.model_validate({"id": "S", "title": "T", **keys})


def test_a_command_stands_as_it_would_be_typed() -> None:
    step = _step(action="command", run=["ls", "{{ folder }}"], on="ca", sudo=True)
    assert exact(step, {"folder": "/a b"}, REGISTRY)[0] == "ls '/a b'"
    assert any("root" in line for line in exact(step, {}, REGISTRY))


def test_what_is_not_known_stands_by_its_name() -> None:
    step = _step(action="command", run=["ls", "{{ folder }}"])
    assert exact(step, {}, REGISTRY)[0] == "ls '{{ folder }}'"
    assert exact(step, {"folder": None}, REGISTRY)[0] == "ls '{{ folder }}'", "a secret"


def test_where_a_name_cannot_stand_for_a_value_the_keys_are_given() -> None:
    step = _step(check="slots", token="t", expect={"count": "{{ how_many }}"})
    assert exact(step, {}, REGISTRY) == ("slots", '  token: "t"', '  expect: {"count": "{{ how_many }}"}')


def test_a_kind_that_is_not_installed_says_so() -> None:
    assert "nowhere" in exact(_step(check="nowhere"), {}, REGISTRY)[0]


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\nb"])
def test_no_value_reaches_the_terminal_raw(text: str) -> None:
    lines = exact(_step(action="command", run=["ls", "{{ x }}"]), {"x": text}, REGISTRY)
    assert all(line.isprintable() for line in lines)
