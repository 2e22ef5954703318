"""YAML read strictly: plain data with positions, nothing that could surprise (design §6).

Plain scalars resolve as little as possible: `true`, `false`, `null`, `~`, decimal integers without a leading zero
(at most 18 digits) and decimal fractions. All else is text: `01`, `yes`, `on`, `0x10`, `1_000`, dates. Refused are
duplicate keys, tags, merge keys, directives, several documents, and characters that a reader would not see. An
alias stands for the node of its anchor; all aliases together may add `MAX_ALIASED` nodes, so none can explode.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from runbook.files.document import Document, Map, Node, Scalar, Seq, split_lines
from runbook.files.problems import InvalidDocument, Mark, Problem, did_you_mean
from runbook.files.source import read_text
from runbook.files.yaml_words import explain

MAX_DEPTH = 32
MAX_CHARACTER_PROBLEMS = 10
MAX_ALIASED = 2000
"""Nodes that all aliases of a file may add."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FRACTION = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}

_QUOTE = "For a text that begins with `*`, use quotes; an anchor (`&name`) must be complete before it is used."


def read(path: Path, *, private: bool = False) -> tuple[Document, list[Problem]]:
    """The document and the problems that do not hinder reading on.

    `private` is for files that may hold secrets: no line and no text of them is ever shown. Raises InvalidDocument
    where there is no tree to go on with.
    """
    raw, text = read_text(path)
    composer = _Composer(path, hashlib.sha256(raw).hexdigest(), text, private, b"" if private else raw)
    return composer.document(), composer.problems


def _hidden(char: str) -> bool:
    """Whether a reader would not see the character, or not where it stands."""
    category = unicodedata.category(char)
    return category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or (category == "Zs" and char != " ")


def _named(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X}{f' ({name.lower()})' if name else ''}"


class _Composer:
    """One pass over PyYAML's events, which come one by one, so that a hostile file is left early."""

    def __init__(self, path: Path, sha256: str, text: str, private: bool, content: bytes) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._empty = Document(path, sha256, tuple(split_lines(text)), Map(Mark(1, 1), {}, {}), private, content)
        self._events: Iterator[yaml.Event] = iter(())
        self._anchors: dict[str, Node] = {}
        self._aliased = 0

    def document(self) -> Document:
        self._characters()
        if self.problems:
            raise InvalidDocument(self.problems)
        self._events = yaml.parse(self._text, Loader=yaml.SafeLoader)
        try:
            root = self._root()
        except yaml.MarkedYAMLError as error:
            mark, message, suggestion = explain(error, private=self._empty.private)
            raise InvalidDocument([*self.problems, self._empty.problem(mark, message, suggestion)]) from None
        return replace(self._empty, root=root)

    def _report(self, place: Node | Mark, message: str, suggestion: str = "") -> None:
        self.problems.append(self._empty.problem(place, message, suggestion))

    def _stop(self, place: Node | Mark, message: str, suggestion: str = "") -> InvalidDocument:
        self._report(place, message, suggestion)
        return InvalidDocument(self.problems)

    def _characters(self) -> None:
        for number, line in enumerate(self._empty.lines, start=1):
            if line.isascii() and line.isprintable():
                continue
            for column, char in enumerate(line, start=1):
                if char != "\t" and _hidden(char):
                    what = "a character that cannot be seen or is not known"
                    self._report(Mark(number, column), f"{what}: {_named(char)}", "Remove it or type a plain space.")
                    if len(self.problems) >= MAX_CHARACTER_PROBLEMS:
                        return

    def _root(self) -> Map:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._stop(_mark(event), "a second document begins here", "One file holds one document.")
                if event.version or event.tags:
                    self._report(_mark(event), "YAML directives are not used here", "Remove the line with `%`.")
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, 1)
        if root is None or (isinstance(root, Scalar) and root.value is None):
            raise self._stop(Mark(1, 1), "the file is empty")
        if not isinstance(root, Map):
            raise self._stop(root, "expected keys with values (`key: value`) at the top of the file")
        return root

    def _node(self, event: yaml.NodeEvent, depth: int) -> Node:
        mark = _mark(event)
        if depth > MAX_DEPTH:
            raise self._stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", mark, depth)
        node = self._own(event, mark, depth)
        if event.anchor is not None:
            if event.anchor in self._anchors:
                self._report(mark, "this anchor is already used", "Give it another name.")
            self._anchors[event.anchor] = node
        return node

    def _alias(self, name: str, mark: Mark, depth: int) -> Node:
        node = self._anchors.get(name)
        if node is None:
            if self._empty.private:  # the name may be a secret that lacks its quotes
                raise self._stop(mark, "there is no such anchor", _QUOTE)
            raise self._stop(
                mark, f"there is no anchor `{name}` before this line", did_you_mean(name, self._anchors) or _QUOTE
            )
        size, height = _extent(node)
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise self._stop(mark, f"the aliases add more than {MAX_ALIASED} values", "Write fewer of them.")
        if depth + height - 1 > MAX_DEPTH:
            raise self._stop(mark, f"nested deeper than {MAX_DEPTH} levels")
        return node

    def _own(self, event: yaml.NodeEvent, mark: Mark, depth: int) -> Node:
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._report(mark, "tags (`!`) are not used here", "Remove it; for text that begins with `!`, use quotes.")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Seq(mark, tuple(self._children(yaml.SequenceEndEvent, depth)))
        return self._map(mark, depth)

    def _children(self, end: type[yaml.Event], depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, end):
                return
            if isinstance(event, yaml.NodeEvent):
                yield self._node(event, depth + 1)

    def _map(self, mark: Mark, depth: int) -> Map:
        items: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        children = self._children(yaml.MappingEndEvent, depth)
        for key_node in children:
            value = next(children)
            key = self._key(key_node)
            if key is None:
                continue
            if key in items:
                self._report(key_node, f"`{key}` is already given in line {keys[key].line}", "Keep one of the two.")
                continue
            items[key], keys[key] = value, key_node.mark
        return Map(mark, items, keys)

    def _key(self, node: Node) -> str | None:
        if not isinstance(node, Scalar):
            self._report(node, "a key must be plain text")
            return None
        if not node.text:
            self._report(node, "a key is missing before the colon")
            return None
        if node.text == "<<":
            self._report(node, "merge keys (`<<`) are not used here", "Write the keys out.")
            return None
        return node.text

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Scalar:
        text = event.value
        for char in text:
            if char not in "\n\t" and _hidden(char):
                self._report(mark, f"the text has a character that cannot be seen: {_named(char)}", "Remove it.")
                text = ""
                break
        plain = event.style is None and event.tag is None
        return Scalar(mark, _resolve(text) if plain else text, text)


def _resolve(text: str) -> str | int | float | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _mark(event: yaml.Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)


def _extent(node: Node) -> tuple[int, int]:
    """How many nodes there are in it, itself included, and how many levels."""
    below = node.items if isinstance(node, Seq) else tuple(node.items.values()) if isinstance(node, Map) else ()
    inner = [_extent(item) for item in below]
    return 1 + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)
