"""YAML as Compose reads it, as a tree in which every key and value knows its place.

Plain scalars resolve as in go-yaml (version 3), which Compose, Kubernetes and most tools written in Go use: YAML 1.2's
core schema, so that `yes`, `on` and `0:0` are text, and integers also in octal with a leading zero. Dates stay text.
Anchors, aliases and merge keys (`<<`) are followed; `!reset` leaves a key out and `!override` is looked through, as in
Compose. Errors are a key given twice, several documents, and aliases that explode.
"""

from __future__ import annotations

import re

import yaml

from checks.documents.malformed import MAX_DEPTH, Malformed, given_twice
from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark
from runbook.files.yaml_words import explain

MAX_NODES = 50_000
"""Values of a document, each alias counted with all that it stands for."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGERS = (
    (re.compile(r"[-+]?0b[01][01_]*"), 2),
    (re.compile(r"[-+]?0x[0-9a-fA-F][0-9a-fA-F_]*"), 16),
    (re.compile(r"[-+]?0o?[0-7][0-7_]*"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9_]*)"), 10),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CORE = "tag:yaml.org,2002:"
_MERGE = "<<"


def parse_yaml(text: str) -> Node:
    """Raises Malformed."""
    try:
        # Not the C loader: its messages are fewer, and files are small.
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark, message, suggestion = explain(error, private=True)
        raise Malformed(mark, message, suggestion) from None
    except yaml.YAMLError:
        raise Malformed(Mark(1, 1), "a character in it is none that YAML allows") from None
    except RecursionError:
        raise Malformed(Mark(1, 1), f"nested deeper than {MAX_DEPTH} levels") from None
    if len(documents) > 1:
        raise Malformed(_mark(documents[1]), "a second document begins here", "One file holds one document.")
    if not documents:
        return Scalar(Mark(1, 1), None)
    return _Building().node(documents[0], 1)


def _mark(node: yaml.Node) -> Mark:
    start = node.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)


class _Building:
    """One pass over PyYAML's nodes, in which an alias is the very node of its anchor."""

    def __init__(self) -> None:
        self._count = 0

    def node(self, node: yaml.Node, depth: int) -> Node:
        mark = _mark(node)
        self._count += 1
        if self._count > MAX_NODES:
            raise Malformed(mark, f"with its aliases the document has more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            # An alias inside its own anchor ends here too.
            raise Malformed(mark, f"nested deeper than {MAX_DEPTH} levels, or an alias stands inside its own anchor")
        if isinstance(node, yaml.ScalarNode):
            return Scalar(mark, _value(node), node.value)
        if isinstance(node, yaml.SequenceNode):
            return Seq(mark, tuple(self.node(item, depth + 1) for item in node.value if item.tag != "!reset"))
        return self._map(node, mark, depth)

    def _map(self, node: yaml.Node, mark: Mark, depth: int) -> Map:
        items: dict[str, Node] = {}
        keys: dict[str, Mark] = {}
        seen: dict[str, Mark] = {}
        merged: list[Map] = []
        for key_node, value in node.value:
            place = _mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                raise Malformed(place, "a key must be plain text")
            key = key_node.value
            if key == _MERGE and key_node.style is None:
                if merged:
                    raise Malformed(place, "`<<` is given twice", "Write one with a list.")
                merged = self._merged(value, place, depth)
                continue
            if key in seen:
                raise given_twice(place, key, seen[key])
            seen[key] = place
            if value.tag != "!reset":
                items[key], keys[key] = self.node(value, depth + 1), place
        for other in merged:  # what stands here goes before what is merged, and the earlier of those before the later
            for key, item in other.items.items():
                if key not in items and key not in seen:
                    items[key], keys[key] = item, other.keys[key]
        return Map(mark, items, keys)

    def _merged(self, value: yaml.Node, place: Mark, depth: int) -> list[Map]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        maps = [self.node(source, depth + 1) for source in sources]
        if not all(isinstance(item, Map) for item in maps):
            raise Malformed(place, "a merge key (`<<`) takes mappings alone", "Give an alias of a mapping.")
        return [item for item in maps if isinstance(item, Map)]


def _value(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """By its tag where it has one of YAML's own, else by how it looks; quoted text and foreign tags stay text."""
    text: str = node.value
    if not _tagged(node):
        return text if node.style is not None else resolve(text)
    if node.tag in (f"{_CORE}int", f"{_CORE}float", f"{_CORE}bool", f"{_CORE}null"):
        return resolve(text)
    return resolve(text) if node.tag == "!override" and node.style is None else text


def _tagged(node: yaml.ScalarNode) -> bool:
    """Whether the file gives the value a tag: PyYAML puts one of its own on every node."""
    begin = node.start_mark
    return begin is not None and begin.buffer is not None and begin.buffer[begin.pointer] == "!"


def resolve(text: str) -> str | int | float | bool | None:
    """What a plain scalar means."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(text):
            digits = text.replace("_", "")
            return int(digits if base == 10 else re.sub(r"^([-+]?)0[box]?", r"\1", digits), base)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text
