"""Keys and pastes, byte by byte: the same events as in one piece, and nothing kept of what nobody takes."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from screens.keys_in import CapsLock, KeysIn

KEYS = st.lists(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Cc")),
        st.sampled_from(["\r", "\t", "\x7f", "\x03", "\x1b[A", "\x1b[1;5C", "\x1bOP", "\x1b[<0;5;7M", "\x1b[97;1;97u"]),
    ),
    max_size=12,
).map("".join)


def events_of(written: bytes, *, pasting: bool = True) -> list[Message]:
    keys = KeysIn(lambda: pasting)
    return [message for byte in written for message in keys.feed(bytearray([byte]))]


def told(messages: Iterable[Message]) -> list[str]:
    return [repr(message) for message in messages if not isinstance(message, CapsLock)]


@given(KEYS)
def test_the_same_keys_as_when_they_are_read_at_once(written: str) -> None:
    assert told(events_of(written.encode())) == told(XTermParser().feed(written))


@given(before=KEYS, pasted=st.text(), after=KEYS)
def test_a_paste_is_one_event_and_what_follows_are_keys(before: str, pasted: str, after: str) -> None:
    pasted = pasted.encode(errors="replace").decode().replace("\x1b", "")
    keys = events_of(f"{before}\x1b[200~{pasted}\x1b[201~{after}".encode())
    assert [event.text for event in keys if isinstance(event, events.Paste)] == [pasted.replace("\0", "")]
    rest = [event for event in keys if not isinstance(event, events.Paste)]
    assert told(rest) == told(events_of(f"{before}{after}".encode()))


def test_of_a_paste_that_nobody_takes_the_event_alone_is_left() -> None:
    keys = KeysIn(lambda: False)
    found = []
    for byte in b"a\x1b[200~secret\x1b[201~b":
        found += list(keys.feed(bytearray([byte])))
        assert keys._taken is None
        assert len(keys._last) <= 6
    assert [event.text for event in found if isinstance(event, events.Paste)] == [""]
    assert [event.key for event in found if isinstance(event, events.Key)] == ["a", "b"]


@pytest.mark.parametrize(
    ("written", "on"),
    [
        (b"\x1b[97;65;65u", [True]),
        (b"\x1b[97;65;65u\x1b[98;65;66u", [True]),
        (b"\x1b[97;65;65u\x1b[98;;98u", [True, False]),
        (b"\x1b[97;2;65u", [False]),
        (b"\x1b[49;129;49u", [False]),
        (b"\x1b[49;193;49u", [True]),
        (b"aB", []),
    ],
    ids=["on", "told once", "off again", "shift", "num lock", "both locks", "a terminal that does not tell"],
)
def test_caps_lock_is_what_the_terminal_tells(written: bytes, on: list[bool]) -> None:
    assert [message.on for message in events_of(written) if isinstance(message, CapsLock)] == on


def test_no_key_is_cached() -> None:
    XTermParser._parse_extended_key.cache_clear()
    events_of(b"\x1b[97;1;97u\x1b[98;1;98u")
    assert XTermParser._parse_extended_key.cache_info().currsize == 0
