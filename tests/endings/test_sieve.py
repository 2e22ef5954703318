"""Wherever the expression for a secret fits, the cheap look that is taken first finds the place."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.hiding import hide, show
from runbook.sieve import Form, Sieve
from runbook.spellings import spellings

SECRETS = ["648219", "0000", '%a b\\"', "Größe→9\n", "😀"]
FAMILIES = ["text", "numbers", "base64"]


@cache
def looked_for(secret: str, family: str) -> tuple[re.Pattern[str], Sieve]:
    spelling = spellings(secret.encode())[FAMILIES.index(family)]
    return re.compile(spelling.whole), Sieve([Form(spelling)])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("secret", SECRETS)
# Making up a text for an expression of ten thousand characters takes its time.
@settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_place_where_the_expression_fits_is_found(secret: str, family: str, data: st.DataObject) -> None:
    whole, sieve = looked_for(secret, family)
    text = show(data.draw(st.from_regex(whole)))
    fits = {at for at in range(len(text)) if whole.match(hide(text), at)}
    assert fits
    assert fits <= {start for start, _ in sieve.places(text)}


def test_places_are_found_where_pieces_of_a_long_text_meet() -> None:
    sieve = Sieve([Form(spelling) for spelling in spellings(b"648219")])
    for before in range(2**16 - 8, 2**16 + 2):
        text = "." * before + "648219"
        assert list(sieve.places(text)) == [(before, before + 6)]
        assert sieve.open(text[:-1]) == before
