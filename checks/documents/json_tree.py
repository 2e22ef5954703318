"""JSON (RFC 8259) as a tree in which every key and value knows its place; a key given twice is an error."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import NoReturn

from checks.documents.malformed import MAX_DEPTH, Malformed, given_twice
from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def parse_json(text: str) -> Node:
    """Raises Malformed."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Malformed(Mark(error.lineno, error.colno), f"this is not JSON: {_said(error)}") from None
    except (ValueError, RecursionError) as error:
        raise Malformed(Mark(1, 1), f"this is not JSON: {error}") from None
    return _Placing(text).root()


def _said(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


class _Placing:
    """A walk over a text that is known to be JSON, for the places alone."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [index for index, char in enumerate(text) if char == "\n"]

    def root(self) -> Node:
        self._skip()
        return self._value(1)

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _mark(self) -> Mark:
        line = bisect_left(self._breaks, self._at)
        return Mark(line + 1, self._at - (self._breaks[line - 1] if line else -1))

    def _value(self, depth: int) -> Node:
        mark = self._mark()
        if depth > MAX_DEPTH:
            raise Malformed(mark, f"nested deeper than {MAX_DEPTH} levels")
        match self._text[self._at]:
            case "{":
                return self._map(mark, depth)
            case "[":
                return self._seq(mark, depth)
            case '"':
                text = self._string()
                return Scalar(mark, text, text)
        start = self._at
        value, self._at = _DECODER.raw_decode(self._text, start)
        return Scalar(mark, value, self._text[start : self._at])

    def _string(self) -> str:
        text, self._at = _DECODER.raw_decode(self._text, self._at)
        return str(text)

    def _next(self) -> str:
        """The next character that is no space, which is passed."""
        self._skip()
        self._at += 1
        return self._text[self._at - 1]

    def _seq(self, mark: Mark, depth: int) -> Seq:
        items: list[Node] = []
        self._at += 1
        self._skip()
        if self._text[self._at] == "]":
            self._at += 1
            return Seq(mark, ())
        while True:
            self._skip()
            items.append(self._value(depth + 1))
            if self._next() == "]":
                return Seq(mark, tuple(items))

    def _map(self, mark: Mark, depth: int) -> Map:
        items: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        self._at += 1
        self._skip()
        if self._text[self._at] == "}":
            self._at += 1
            return Map(mark, items, keys)
        while True:
            self._skip()
            place = self._mark()
            key = self._string()
            if key in items:
                raise given_twice(place, key, keys[key])
            self._next()
            self._skip()
            items[key], keys[key] = self._value(depth + 1), place
            if self._next() == "}":
                return Map(mark, items, keys)
