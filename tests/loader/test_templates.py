"""`{{ }}`: names only, one pass, and no value can change the structure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.files import templates
from runbook.files.templates import BadTemplate, check, names, names_in, render, render_params

HOSTILE = st.text() | st.sampled_from(
    [
        "{{ other }}",
        "{% for x in y %}",
        "{# #}",
        "'; rm -rf /",
        "\n- a: b",
        "': {x: y}",
        "{{ self }}",
        "\x1b[31m",
        "$(id)",
    ]
)

PARAMS: dict[str, Any] = {
    "run": ["echo", "{{ value }}", "a{{ value }}b{{ other }}"],
    "expect": {"text": "{{ value }}", "count": 3, "on": True, "none": None, "{{ value }}": "key"},
}


@given(value=HOSTILE, other=HOSTILE)
def test_a_hostile_value_changes_one_text_and_nothing_else(value: str, other: str) -> None:
    rendered = render_params(PARAMS, {"value": value, "other": other})
    assert rendered == {
        "run": ["echo", value, f"a{value}b{other}"],
        "expect": {"text": value, "count": 3, "on": True, "none": None, "{{ value }}": "key"},
    }


@given(text=st.text().filter(lambda text: "{{" not in text and "{%" not in text))
def test_a_text_without_braces_stays_as_it_is(text: str) -> None:
    assert render(text, {}) == text
    assert names(text) == frozenset()


@given(text=st.text(alphabet="{}%# \n'\"abx.|()[]-", max_size=30))
def test_any_text_renders_or_is_refused(text: str) -> None:
    try:
        used = names(text)
    except BadTemplate:
        with pytest.raises(BadTemplate):
            render(text, {"a": "1"})
        return
    assert isinstance(render(text, dict.fromkeys(used, "1")), str)


@pytest.mark.parametrize(
    "text",
    [
        "{{ a.b }}",
        "{{ a['b'] }}",
        "{{ a() }}",
        "{{ a | upper }}",
        "{{ a + b }}",
        "{{ 1 }}",
        "{{ [a] }}",
        "{{ a if b }}",
        "{{ range(3) }}",
        "{{ self }}",
        "{{ true }}",
        "{{ }}",
        "{{ a",
        "{% if a %}{% endif %}",
        "{% set a = 1 %}",
        "{% include 'x' %}",
        "{{ a.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ .State }}",
    ],
)
def test_only_names_may_stand_between_the_braces(text: str) -> None:
    with pytest.raises(BadTemplate):
        names(text)
    with pytest.raises(BadTemplate):
        render(text, {"a": "1", "b": "2"})


def test_literal_braces() -> None:
    text = "docker ps --format '{{ '{{.Names}}' }}' ${#array} {{ a }} {#"
    assert names(text) == {"a"}
    assert render(text, {"a": "{{ b }}"}) == "docker ps --format '{{.Names}}' ${#array} {{ b }} {#"


def test_names_have_their_offsets() -> None:
    assert names_in("{{ a }} a {{b}} {{ a }}") == [("a", 3), ("b", 12), ("a", 19)]


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    (error,) = check("x {{ seriel }}", frozenset({"serial"}))
    assert error.offset == 5
    assert "`serial`" in error.remedy
    with pytest.raises(BadTemplate, match="seriel"):
        render("{{ seriel }}", {"serial": "x"})


def test_line_ends_and_numbers_survive() -> None:
    assert render("{{ n }}\n", {"n": 3}) == "3\n"
    assert render("\n {{ n }} \n\n", {"n": "x\n"}) == "\n x\n \n\n"


def test_templates_know_no_globals() -> None:
    assert not templates._ENVIRONMENT.globals
