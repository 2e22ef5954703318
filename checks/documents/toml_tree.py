"""TOML 1.0 as a tree in which every key and value knows its place.

`tomllib` reads the file and is the judge of it; the walk here finds where each key and value stands.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from checks.documents.malformed import Malformed, mark_at
from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:[^\\]|\\.)*?"{3,5}(?!")',
        r"'''.*?'{3,5}(?!')",
        r'"(?:[^"\\\n]|\\.)*"',
        r"'[^'\n]*'",
    )
)
_BARE = re.compile(r"[^,\]}\n#]+")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE = re.compile(r"[ \t]*")
_SAID = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

Path = tuple[str | int, ...]


def parse_toml(text: str) -> Node:
    """Raises Malformed."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = _SAID.match(str(error))
        end = mark_at(text, len(text))
        mark = Mark(int(said["line"]), int(said["column"])) if said and said["line"] else end
        raise Malformed(mark, f"this is not TOML: {said['what'] if said else error}") from None
    except RecursionError:
        raise Malformed(Mark(1, 1), "nested too deeply") from None
    places = _Places(text)
    return _tree(data, (), places, Mark(1, 1))


def _tree(value: Any, path: Path, places: _Places, above: Mark) -> Node:
    mark = places.values.get(path, places.keys.get(path, above))
    if isinstance(value, Mapping):
        items = {key: _tree(item, (*path, key), places, mark) for key, item in value.items()}
        return Map(mark, items, {key: places.keys.get((*path, key), mark) for key in value})
    if isinstance(value, list):
        return Seq(mark, tuple(_tree(item, (*path, number), places, mark) for number, item in enumerate(value)))
    plain = value if isinstance(value, str | int | float | bool) else value.isoformat()
    return Scalar(mark, plain, str(plain))


class _Places:
    """Where keys and values stand, by their path. The text is known to be TOML."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, Mark] = {}
        self.values: dict[Path, Mark] = {}
        self._text = text
        self._at = 0
        self._tables: dict[Path, int] = {}
        """How many tables an array of tables has so far."""
        self._document()

    def _mark(self) -> Mark:
        return mark_at(self._text, self._at)

    def _document(self) -> None:
        table: Path = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match.group() if match else ""

    def _header(self) -> Path:
        mark, array = self._mark(), self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        names = tuple(self._dotted())
        self._at = self._text.index("]", self._at) + (2 if array else 1)
        path = self._resolved(names[:-1], mark) + names[-1:]
        self.keys.setdefault(path, mark)
        if array:
            number = self._tables.get(path, 0)
            self._tables[path] = number + 1
            path = (*path, number)
        self.values.setdefault(path, mark)
        return path if array else self._last(path)

    def _resolved(self, names: tuple[str, ...], mark: Mark) -> Path:
        """The path of a table: a name of an array of tables means its last one (TOML 1.0, Array of Tables)."""
        path: Path = ()
        for name in names:
            self.keys.setdefault((*path, name), mark)
            path = self._last((*path, name))
        return path

    def _last(self, path: Path) -> Path:
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _dotted(self) -> Iterator[str]:
        while True:
            self._skip(_INLINE)
            word = self._skip(_KEY)
            yield next(iter(tomllib.loads(f"{word} = 0")))
            self._skip(_INLINE)
            if self._text[self._at] != ".":
                return
            self._at += 1

    def _pair(self, table: Path) -> None:
        mark = self._mark()
        path = table
        for name in self._dotted():
            path = (*path, name)
            self.keys.setdefault(path, mark)
        self._at += 1  # the equals sign
        self._skip(_INLINE)
        self._value(path)

    def _value(self, path: Path) -> None:
        self.values[path] = self._mark()
        opening = self._text[self._at]
        if opening in "[{":
            self._at += 1
            self._items(path, closing="]" if opening == "[" else "}")
        elif opening in "\"'":
            next(filter(None, (self._skip(pattern) for pattern in _STRINGS)))
        else:
            self._skip(_BARE)

    def _items(self, path: Path, closing: str) -> None:
        number = 0
        while True:
            self._skip(_GAP)
            if self._text[self._at] == closing:
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
            elif closing == "]":
                self._value((*path, number))
                number += 1
            else:
                self._pair(path)
