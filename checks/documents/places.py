"""What a JMESPath expression finds in a document, and where each thing that it finds stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

if TYPE_CHECKING:
    from jmespath.visitor import _TreeNode as Ast


@dataclass(frozen=True, slots=True)
class Found:
    """What an expression comes to."""

    value: Any
    """Plain data; None: nothing, or null, which JMESPath does not tell apart."""
    mark: Mark
    """Where it stands; of what is not there, where it would be expected."""
    items: tuple[tuple[Any, Mark], ...] | None = None
    """The items and places of a list."""
    projected: bool = False
    """The list was put together by the expression (a projection); the document has no such list."""

    @property
    def nothing(self) -> bool:
        return self.value is None or (self.projected and not self.value)


class Places:
    """A document that can be asked."""

    def __init__(self, root: Node) -> None:
        self._nodes: dict[int, tuple[Node, Mark]] = {}
        """The node of every list and mapping of the data, and where it is named, by the object's identity."""
        self.data = self._data(root, root.mark)

    def _data(self, node: Node, named: Mark) -> Any:
        made: Any
        if isinstance(node, Scalar):
            return node.value
        if isinstance(node, Map):
            made = {key: self._data(item, _place(node, key)) for key, item in node.items.items()}
        elif isinstance(node, Seq):
            made = [self._data(item, item.mark) for item in node.items]
        self._nodes[id(made)] = (node, named)
        return made

    def ask(self, expression: str) -> Found:
        """Raises JMESPathError where the expression cannot be evaluated on this document."""
        interpreter = _Interpreter(self._nodes, self._nodes.get(id(self.data), (None, Mark(1, 1)))[1])
        value = interpreter.visit(jmespath.compile(expression).parsed, self.data)
        named = self._nodes.get(id(value))
        items = interpreter.items(value) if isinstance(value, list) else None
        mark = named[1] if named else interpreter.mark
        return Found(value, mark, items, projected=named is None and isinstance(value, list))


def _place(holder: Map, key: str) -> Mark:
    """Where to point for a key's value: at a value beside the key, else at the key."""
    item, key_mark = holder.items[key], holder.keys[key]
    return item.mark if isinstance(item, Scalar) and item.mark.line == key_mark.line else key_mark


def is_true(value: Any) -> bool:
    """What JMESPath takes for true: neither null, false, nor anything empty; 0 is true."""
    return not (value is None or value is False or value in ("", [], {}))


def compile_error(expression: str) -> str:
    """Why the text is no JMESPath expression; empty: it is one."""
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        return str(error).splitlines()[0]
    return ""


class _Interpreter(TreeInterpreter):
    """Evaluates as JMESPath's own does, and remembers the place of what was reached last."""

    def __init__(self, nodes: dict[int, tuple[Node, Mark]], top: Mark) -> None:
        super().__init__()
        self._nodes = nodes
        self._made: dict[int, tuple[tuple[Any, Mark], ...]] = {}
        """The items of lists that projections made; the lists themselves are kept, so that identities last."""
        self._kept: list[Any] = []
        self.mark = top

    def items(self, value: list[Any]) -> tuple[tuple[Any, Mark], ...]:
        """The items of a list, each with its place."""
        if id(value) in self._made:
            return self._made[id(value)]
        node = self._nodes.get(id(value), (None, None))[0]
        if isinstance(node, Seq):
            return tuple((item, below.mark) for item, below in zip(value, node.items, strict=True))
        return tuple((item, self._of(item)) for item in value)

    def _of(self, value: Any) -> Mark:
        return self._nodes[id(value)][1] if id(value) in self._nodes else self.mark

    def _keep(self, pairs: Iterator[tuple[Any, Mark]]) -> list[Any]:
        found = tuple(pairs)
        made = [value for value, _ in found]
        self._kept.append(made)
        self._made[id(made)] = found
        return made

    def visit_field(self, node: Ast, value: Any) -> Any:
        holder, named = self._nodes.get(id(value), (None, None))
        if isinstance(holder, Map) and named:
            self.mark = _place(holder, node["value"]) if node["value"] in holder.items else named
        return super().visit_field(node, value)

    def visit_index(self, node: Ast, value: Any) -> Any:
        if isinstance(value, list):
            pairs, number = self.items(value), node["value"]
            self.mark = pairs[number][1] if -len(pairs) <= number < len(pairs) else self._of(value)
        return super().visit_index(node, value)

    def visit_slice(self, node: Ast, value: Any) -> Any:
        if not isinstance(value, list):
            return None
        limits: Any = node["children"]  # numbers and None here, whatever the stubs say
        return self._keep(iter(self.items(value)[slice(*limits)]))

    def visit_flatten(self, node: Ast, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return self._keep(
            pair
            for item, mark in self.items(base)
            for pair in (self.items(item) if isinstance(item, list) else ((item, mark),))
        )

    def visit_projection(self, node: Ast, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        return self._each(node, self.items(base)) if isinstance(base, list) else None

    def visit_filter_projection(self, node: Ast, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        wanted = [pair for pair in self.items(base) if is_true(self.visit(node["children"][2], pair[0]))]
        return self._each(node, tuple(wanted))

    def visit_value_projection(self, node: Ast, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, dict):
            return None
        holder = self._nodes.get(id(base), (None, None))[0]
        marks = {key: _place(holder, key) for key in base} if isinstance(holder, Map) else {}
        return self._each(node, tuple((item, marks.get(key, self.mark)) for key, item in base.items()))

    def _each(self, node: Ast, pairs: tuple[tuple[Any, Mark], ...]) -> list[Any]:
        def results() -> Iterator[tuple[Any, Mark]]:
            for item, mark in pairs:
                self.mark = mark
                result = self.visit(node["children"][1], item)
                if result is not None:
                    yield result, self._nodes[id(result)][1] if id(result) in self._nodes else self.mark

        base = self.mark
        made = self._keep(results())
        if not made:
            self.mark = base
        return made
