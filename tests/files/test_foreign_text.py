"""Foreign text is made harmless in bounded time, and says what was cut."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from runbook.text import MAX_LINE, clean_line


@given(st.text(max_size=300), st.integers(1, 60))
def test_it_is_printable_and_says_how_much_is_left_out(text: str, limit: int) -> None:
    shown = clean_line(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + len("… [999 more characters]") + 4
    if len(text) > 4 * limit:
        assert shown.endswith("more characters]")


def test_a_long_one_is_cut_before_it_is_looked_through() -> None:
    begun = time.thread_time()
    shown = clean_line("\x1b" * 10**7)
    assert time.thread_time() - begun < 1
    assert shown == "␛" * MAX_LINE + f"… [{10**7 - MAX_LINE} more characters]"


def test_a_flood_of_marks_does_not_hide_that_there_is_more() -> None:
    assert (
        clean_line("Z" + "\u0301" * 10**6 + "rm")
        == "Z" + "\u0301" * 4 + f"… [{10**6 + 3 - 4 * MAX_LINE} more characters]"
    )
