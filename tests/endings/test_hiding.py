"""Expressions in the shuffled alphabet match what is hidden wherever those in the plain one match the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook import spellings
from runbook.hiding import hidden, hidden_literal, hide, show
from runbook.sieve import Form

EXPRESSIONS = [
    r"(?:[\r\n␍␊ \t:,;._-]|\\{1,4}[rnx]|0x|00){0,12}",
    r"()(?:[\r\n␍␊]|\\{1,4}[rn]){1,2}(?:(?:0x)?[0-9a-fA-F]{4,16}:?)?[ \t]{1,5}",
    r"(?:[\0␀]|\\{1,4}(?:[ux]?0{1,4})|%00){0,3}?",
    r"[^\r\n␍␊]{0,80}",
    r"%(?:25){0,2}|[0-9a-fA-F]{2}|  ",
    r"\Z|%(?:25)?2?\Z",
]


@given(st.text())
def test_hiding_keeps_the_length_and_can_be_undone(text: str) -> None:
    assert show(hide(text)) == text
    assert len(hide(text)) == len(text)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(text=st.text(st.sampled_from("\\\0\r\n\t ␍␊␀:,;._-rnxu0123%25afAFgG^]")))
def test_a_hidden_expression_matches_what_is_hidden(expression: str, text: str) -> None:
    plain, masked = re.match(expression, text), re.match(hidden(expression), hide(text))
    assert (plain and plain.span()) == (masked and masked.span())


@given(st.text())
def test_a_hidden_literal_matches_itself_alone(text: str) -> None:
    assert re.fullmatch(hidden_literal(text), hide(text))


def test_nothing_that_is_kept_holds_the_secret() -> None:
    """Neither in one piece nor with the same gaps between its characters."""
    secret = "correct horse battery"
    for spelling in spellings.spellings(secret.encode()):
        form = Form(spelling)
        form.prepare()
        for expression in (spelling.whole, spelling.begun):
            for start in range(0, len(secret) - 6, 3):
                run = secret[start : start + 6]
                assert not re.search(r"[\s\S]{0,60}?".join(map(re.escape, run)), expression), run
