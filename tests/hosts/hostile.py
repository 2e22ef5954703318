"""Values that a shell, a terminal or a parser would trip over, and a program that tells what it got."""

from __future__ import annotations

import os

from hypothesis import strategies as st

PRINTS_ARGV = "import sys, os, json; print(json.dumps([os.fsencode(a).hex() for a in sys.argv[1:]]))"
"""A Python program: its arguments as JSON, each in hex."""

_SHELL = [
    "",
    " ",
    "'",
    '"',
    "\\",
    "$(touch /x)",
    "`id`",
    "*",
    "~",
    "$HOME",
    "${IFS}",
    "!",
    "#",
    "a'b",
    "';id;'",
    "&",
    "=x",
]
_LINES = ["\n", "a\nb\n", "\r", "\n\n", "trailing\n"]
_OPTIONS = ["-n", "--", "-", "--help", "-rf"]
_BYTES = ["\x01", "\x7f", "\x81\x88", "\udcff\udc80'", "\udce3", "\x1b[2J"]
_UNICODE = ["é", "日本", "\u202e", "A=b", "👩‍🚒"]

TEXT = st.one_of(
    st.sampled_from([*_SHELL, *_LINES, *_OPTIONS, "\x01", "\x7f", "\x1b[2J", *_UNICODE]),
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=200),
)
"""Any text without NUL."""

HOSTILE = st.one_of(
    TEXT,
    st.sampled_from(_BYTES),
    st.lists(st.integers(1, 255), max_size=60).map(lambda numbers: os.fsdecode(bytes(numbers))),
)
"""Also bytes that are no text, as file names can have them (PEP 383)."""
