"""A YAML document as a tree in which every key and value knows its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.files.problems import Mark, Problem, Severity


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value and where it begins."""

    mark: Mark

    def data(self) -> Any:
        """The plain value."""
        raise NotImplementedError

    def scalars(self) -> Iterator[Scalar]:
        """Every scalar in it, in order."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Scalar(Node):
    """Text, a number, a truth value, or nothing."""

    value: str | int | float | bool | None
    text: str = ""
    """As it is spelled, without quotes."""

    def data(self) -> Any:
        return self.value

    def scalars(self) -> Iterator[Scalar]:
        yield self


@dataclass(frozen=True, slots=True, eq=False)
class Seq(Node):
    """A list."""

    items: tuple[Node, ...]

    def data(self) -> list[Any]:
        return [item.data() for item in self.items]

    def scalars(self) -> Iterator[Scalar]:
        for item in self.items:
            yield from item.scalars()


@dataclass(frozen=True, slots=True, eq=False)
class Map(Node):
    """Keys, which are always text, and values."""

    items: Mapping[str, Node]
    keys: Mapping[str, Mark]

    def data(self) -> dict[str, Any]:
        return {key: item.data() for key, item in self.items.items()}

    def scalars(self) -> Iterator[Scalar]:
        for item in self.items.values():
            yield from item.scalars()

    def get(self, key: str) -> Node | None:
        return self.items.get(key)

    def text(self, key: str) -> str | None:
        """The value of the key where it is text."""
        return text_of(self.items.get(key))

    def map(self, key: str) -> Map | None:
        """The value of the key where it is a mapping."""
        node = self.items.get(key)
        return node if isinstance(node, Map) else None

    def entries(self, key: str) -> tuple[Node, ...]:
        """The items of the list under the key; a single value counts as a list of one."""
        node = self.items.get(key)
        if node is None:
            return ()
        return node.items if isinstance(node, Seq) else (node,)

    def texts(self, key: str) -> list[tuple[str, Node]]:
        """The texts of the list under the key, each with its node."""
        return [(text, node) for node in self.entries(key) if (text := text_of(node)) is not None]

    def without(self, *keys: str) -> Map:
        """The mapping without these keys."""
        return Map(
            self.mark,
            {key: item for key, item in self.items.items() if key not in keys},
            {key: mark for key, mark in self.keys.items() if key not in keys},
        )


def text_of(node: Node | None) -> str | None:
    """The value of a node that is text."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def split_lines(text: str) -> list[str]:
    """Lines as YAML counts them: ended by LF, CR LF or CR."""
    return re.split(r"\r\n|\n|\r", text)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A file that was read and composed."""

    path: Path
    sha256: str
    """Of the file's bytes, in lower-case hex."""
    lines: tuple[str, ...]
    root: Map
    private: bool = False
    """The file may hold secrets: its lines are never shown."""
    content: bytes = field(default=b"", repr=False)
    """The file's bytes; of a private file, none."""

    def problem(
        self,
        place: Node | Mark,
        message: str,
        suggestion: str = "",
        *,
        severity: Severity = Severity.ERROR,
        hide: bool = False,
    ) -> Problem:
        """A problem at that place; `hide` keeps the line from being shown."""
        mark = place.mark if isinstance(place, Node) else place
        excerpt = None if hide or self.private else self.line(mark.line)
        return Problem(self.path, mark.line, mark.column, message, suggestion, severity, excerpt)

    def line(self, number: int) -> str:
        """The line of that number, from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def inside(self, node: Node, offset: int) -> Mark:
        """The place of the character at `offset` of a text, or its beginning where the file spells it otherwise."""
        text = text_of(node)
        mark = node.mark
        if text is None:
            return mark
        rest = self.line(mark.line)[mark.column - 1 :]
        opening = rest[:1] if rest[:1] in ("'", '"') else ""
        spelled = rest[len(opening) :].startswith(text[: offset + 1])
        return Mark(mark.line, mark.column + len(opening) + offset) if spelled else mark
