"""The runbook as its file shows it: whatever can be read of it, with every place.

The validator works on this rather than on the models, so that one broken step does not hide the problems of the
others. What has the wrong type is left out here; the models report it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runbook.backout import AFTERWARDS_KEYS, WAY_KEYS
from runbook.files.document import Map, Node, text_of
from runbook.model import COMMON_KEYS, Role

FOLDED = frozenset({"role", "kind", "params"})
"""What the model of a step calls its folded parts; in the file they are no keys."""


@dataclass(frozen=True, slots=True)
class WayOutline:
    """A way back that is an action, or a check of what is so then."""

    node: Map

    @property
    def role(self) -> Role:
        return Role.ACTION if "action" in self.node.items else Role.CHECK

    @property
    def common(self) -> frozenset[str]:
        """The keys that are not its kind's own."""
        return WAY_KEYS if self.role is Role.ACTION else AFTERWARDS_KEYS

    @property
    def kind(self) -> str:
        """The name of its kind; empty where it has none."""
        return self.node.text(self.role.value) or ""

    @property
    def kind_node(self) -> Node:
        return self.node.items[self.role.value]

    @property
    def params(self) -> Map:
        """The keys of its kind."""
        return self.node.without(*self.common)

    @property
    def probe(self) -> Map | None:
        return self.node.map("probe") if self.role is Role.ACTION else None


@dataclass(frozen=True, slots=True)
class StepOutline:
    """One step."""

    stage: int
    """Index of its stage."""
    index: int
    """Index in its stage."""
    node: Map
    role: Role | None
    """None where it has none, or more than one."""

    @property
    def id(self) -> str:
        return self.node.text("id") or ""

    @property
    def kind(self) -> str:
        """The name of its kind; empty where it has none."""
        if self.role is None or self.role is Role.ATTESTATION:
            return "attest" if self.role else ""
        return self.node.text(self.role.value) or ""

    @property
    def kind_node(self) -> Node:
        """The node that names the kind."""
        return self.node if self.role is None else self.node.items[self.role.value]

    @property
    def params(self) -> Map:
        """The keys of its kind; for an attestation the statements stand under `statements`, as in the model."""
        role = {self.role.value} if self.role else {item.value for item in Role}
        own = self.node.without(*COMMON_KEYS, *role)
        if self.role is not Role.ATTESTATION:
            return own
        items = {**own.items, "statements": self.node.items["attest"]}
        return Map(self.node.mark, items, {**own.keys, "statements": self.node.keys["attest"]})

    @property
    def probe(self) -> Map | None:
        return self.node.map("probe")

    @property
    def gate(self) -> Map | None:
        return self.node.map("gate")

    def ways(self) -> Iterator[WayOutline]:
        """The ways back that have a kind."""
        for entry in self.node.entries("backout"):
            if isinstance(entry, Map) and {"action", "check"} & set(entry.items):
                yield WayOutline(entry)

    def probes(self) -> Iterator[Map]:
        """Its own probe and those of its ways back."""
        yield from filter(None, (self.probe, *(way.probe for way in self.ways())))

    def hints(self) -> Iterator[Map]:
        for hint in self.node.entries("hints"):
            if isinstance(hint, Map):
                yield hint


@dataclass(frozen=True, slots=True)
class StageOutline:
    """One stage."""

    index: int
    node: Map
    steps: tuple[StepOutline, ...]

    @property
    def id(self) -> str:
        return self.node.text("id") or ""


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole runbook."""

    root: Map
    stages: tuple[StageOutline, ...]

    @classmethod
    def of(cls, root: Map) -> Outline:
        stages = [(index, node) for index, node in enumerate(root.entries("stages")) if isinstance(node, Map)]
        return cls(root, tuple(StageOutline(index, node, _steps(index, node)) for index, node in stages))

    def steps(self) -> Iterator[StepOutline]:
        """Every step, in order."""
        for stage in self.stages:
            yield from stage.steps

    @property
    def inputs(self) -> Map:
        """The inputs that are declared."""
        return self.root.map("inputs") or Map(self.root.mark, {}, {})

    @property
    def facts(self) -> Map:
        """The facts that are declared."""
        return self.root.map("facts") or Map(self.root.mark, {}, {})

    def secret_inputs(self) -> frozenset[str]:
        """The names of the inputs that are secret."""
        return frozenset(
            name for name, node in self.inputs.items.items() if isinstance(node, Map) and node.text("type") == "secret"
        )


def _steps(stage: int, node: Map) -> tuple[StepOutline, ...]:
    steps = [(index, step) for index, step in enumerate(node.entries("steps")) if isinstance(step, Map)]
    return tuple(StepOutline(stage, index, step, _role(step)) for index, step in steps)


def _role(step: Map) -> Role | None:
    roles = [role for role in Role if role.value in step.items]
    return roles[0] if len(roles) == 1 else None


def key_mark(holder: Map, key: str) -> Node:
    """The value under the key, or the holder where it has no such key."""
    node = holder.get(key)
    return holder if node is None else node


def label(node: Node) -> str:
    """The text of a node, for a message; empty where it is no text."""
    return text_of(node) or ""
