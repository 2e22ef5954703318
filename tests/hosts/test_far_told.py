"""Our lines between those of a command, however the stream is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.hosts.told import Told, ToldStream

TAG = b"0123456789abcdef0123456789abcdef"

pieces = st.one_of(
    st.binary(max_size=40),
    st.integers(0, len(TAG)).map(lambda size: TAG[:size]),  # the beginning of the tag, which is nothing yet
    st.sampled_from([b"\n", b"exit 0 0 gone\n", b"started 1 group\n"]),
)
outputs = st.lists(pieces, max_size=20).map(b"".join).filter(lambda data: TAG not in data)


@given(
    st.tuples(outputs, outputs, outputs),
    st.integers(0, 255),
    st.integers(0, 9),
    st.lists(st.integers(1, 50), max_size=60),
)
def test_what_is_told_is_cut_out_and_nothing_else(
    said: tuple[bytes, bytes, bytes], code: int, left: int, cuts: list[int]
) -> None:
    before, between, after = said
    lines = [TAG + b" started 4711 group\n", TAG + b" fed\n", TAG + b" exit %d %d alive\n" % (code, left)]
    whole = lines[0] + before + lines[1] + between + lines[2] + after
    if whole.count(TAG) != len(lines):
        return  # a beginning met the next tag and made one of its own
    told = Told()
    stream = ToldStream(TAG, told)
    out = bytearray()
    sizes = [*cuts, len(whole)]
    at = 0
    for size in sizes:
        out += stream.feed(whole[at : at + size])
        at += size
        if stream.over:
            break
    assert bytes(out) == before + between
    assert (told.pid, told.group, told.fed, told.exit_code, told.left, told.alive) == (
        4711,
        True,
        True,
        code,
        left,
        True,
    )


@given(outputs, st.lists(st.integers(1, 50), max_size=60))
def test_a_stream_that_ends_early_keeps_what_it_said(said: bytes, cuts: list[int]) -> None:
    stream = ToldStream(TAG, Told())
    out, at = bytearray(), 0
    for size in [*cuts, len(said)]:
        out += stream.feed(said[at : at + size])
        at += size
    assert bytes(out) + stream.rest() == said
    assert not stream.over
