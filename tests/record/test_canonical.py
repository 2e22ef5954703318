"""The fast canonical form is the reference's, byte for byte."""

from __future__ import annotations

import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from runbook.record.canonical import canonical
from runbook.record.records import LARGEST

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.text(st.sampled_from('aA"\\/\x00\x1f\x7f\u0080\u2028\ue000\uffff\U00010000\U0001f600'), max_size=3) | TEXT
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@given(PLAIN)
@example({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "\r": 4, "1": 5, "\u0080": 6, "\u00f6": 7})  # RFC 8785 §3.2.3
@example("".join(map(chr, range(0x300))))
@example([LARGEST, -LARGEST, {}, [], {"": ""}])
def test_it_is_the_canonical_form(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)
