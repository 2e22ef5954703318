"""Expressions for secrets that do not hold them: every ASCII character stands for another, in an order of this process.

What looks for a secret in output must keep what it looks for until the run ends. Kept as it is, each expression would
be a copy of the secret in memory, with the same gaps between its characters. So the expressions are written in an
alphabet that is shuffled anew by each process, and the text is put into that alphabet where it may match.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

_SIZE = 128
"""ASCII; Python translates nothing else as fast."""

_ORDER = sorted(range(_SIZE), key=lambda _: os.urandom(8))
_TO = "".join(map(chr, _ORDER))
_BACK = "".join(map(chr, sorted(range(_SIZE), key=_ORDER.__getitem__)))

_ESCAPES = {"0": "\0", "r": "\r", "n": "\n", "t": "\t"}

_TOKEN = re.compile(
    r"(?P<same>\\Z|\(\?:|\{\d+(?:,\d+)?\}|[()|?])"
    r"|\[(?P<but>\^?)(?P<class>(?:\\.|[^\]\\])+)\]"
    r"|(?P<one>\\?.)",
    re.DOTALL,
)


def hide(text: str) -> str:
    """`text` in the other alphabet; as long as before."""
    return text.translate(_TO)


def show(text: str) -> str:
    """The text that `hide` gave this for."""
    return text.translate(_BACK)


def hidden_literal(text: str) -> str:
    """An expression for `text`, for matching what is hidden."""
    return re.escape(hide(text))


def hidden(expression: str) -> str:
    r"""The expression that matches what is hidden where `expression` matches what is not.

    Of `re` it knows groups, alternatives, repetitions, characters, sets and ranges of them, and `\Z`.
    """
    return "".join(_hidden(token) for token in _TOKEN.finditer(expression))


def _hidden(token: re.Match[str]) -> str:
    if token["same"]:
        return token["same"]
    if token["one"]:
        return hidden_literal(_plain(token["one"]))
    return f"[{token['but']}{''.join(map(hidden_literal, _members(token['class'])))}]"


def _members(inside: str) -> Iterator[str]:
    for member in re.finditer(r"(\\?.)(?:-(\\?.))?", inside, re.DOTALL):
        first = _plain(member[1])
        last = _plain(member[2]) if member[2] else first
        yield from map(chr, range(ord(first), ord(last) + 1))


def _plain(written: str) -> str:
    return _ESCAPES.get(written[1], written[1]) if len(written) == 2 else written
