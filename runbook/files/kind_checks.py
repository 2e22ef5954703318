"""Each step's own keys against the model of its kind, its references, and what is inserted into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from runbook.errors import UsageError
from runbook.files import templates
from runbook.files.document import Document, Map, Node, Scalar, text_of
from runbook.files.outline import FOLDED, Outline, StepOutline, WayOutline
from runbook.files.problems import Problem, did_you_mean
from runbook.files.shapes import default_refs, keys_at, refs
from runbook.files.wording import Loc, locate, problems_of
from runbook.kind import Kind, Ref, Registry
from runbook.model import COMMON_KEYS, Role


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names an input or a token."""

    node: Node
    name: str
    ref: Ref


@dataclass(slots=True)
class Used:
    """What the steps name: filled while they are checked."""

    inputs: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """Texts of steps whose kind is not known: any of them may name an input."""


def find_kind(registry: Registry, role: Role, name: str) -> type[Kind[Any]] | None:
    """The kind, or None where there is none; raises EnvironmentLacks when it cannot load."""
    try:
        return registry.get(role, name)
    except UsageError:
        return None


def unknown_kind(registry: Registry, role: Role, name: str) -> tuple[str, str]:
    """Message and suggestion for a kind that is not there."""
    for other in Role:
        if other is not role and name in registry.names(other):
            hint = f"Write `{other.value}: {name}`." if other is not Role.ATTESTATION else "Write `attest: STATEMENTS`."
            return f"`{name}` is {_article(other)}, not {_article(role)}", hint
    hint = did_you_mean(name, registry.names(role)) or "`runbook checks` lists the kinds."
    return f"there is no {role.value} named `{name}`", hint


def _article(role: Role) -> str:
    return {Role.CHECK: "a check", Role.ACTION: "an action", Role.ATTESTATION: "an attestation"}[role]


def kind_problems(document: Document, outline: Outline, registry: Registry, used: Used) -> Iterator[Problem]:
    """The problems of the own keys of every step, of its ways back and of their probes."""
    for step in outline.steps():
        yield from _role(document, step)
        if step.role is not None and (step.kind or step.role is Role.ATTESTATION):
            yield from _params_problems(document, outline, registry, used, _Part.of_step(step))
        for way in step.ways():
            if way.kind:
                yield from _params_problems(document, outline, registry, used, _Part.of_way(way))
        for probe in step.probes():
            if probe.text("check"):
                yield from _params_problems(document, outline, registry, used, _Part.of_probe(probe))
        yield from _folded(document, step)


@dataclass(frozen=True, slots=True)
class _Part:
    """The kind and own keys of a step, a way back or a probe."""

    role: Role
    kind: str
    kind_node: Node
    params: Map
    common: frozenset[str]
    is_probe: bool = False

    @classmethod
    def of_step(cls, step: StepOutline) -> _Part:
        assert step.role is not None  # noqa: S101 - for the type checker; asked by the caller
        common = COMMON_KEYS | {step.role.value}
        return cls(step.role, step.kind, step.kind_node, step.params.without(*FOLDED), common)

    @classmethod
    def of_way(cls, way: WayOutline) -> _Part:
        return cls(way.role, way.kind, way.kind_node, way.params.without(*FOLDED), way.common)

    @classmethod
    def of_probe(cls, probe: Map) -> _Part:
        name, params = probe.items["check"], probe.without("check", *FOLDED)
        return cls(Role.CHECK, text_of(name) or "", name, params, frozenset({"check"}), is_probe=True)


def _role(document: Document, step: StepOutline) -> Iterator[Problem]:
    """A step is one of the three, and a check or action has a name."""
    given = [role.value for role in Role if role.value in step.node.items]
    usage = "A step is one of `check: KIND`, `action: KIND` or `attest: STATEMENTS`."
    if len(given) > 1:
        place = max(step.node.keys[key] for key in given)
        yield document.problem(place, f"a step cannot be both `{given[0]}` and `{given[1]}`", usage)
    if step.role in (Role.CHECK, Role.ACTION) and not step.kind:
        hint = "`runbook checks` lists the kinds."
        yield document.problem(step.kind_node, f"expected the name of {_article(step.role)}", hint)
    if not given:
        own = [key for key in step.node.items if key not in COMMON_KEYS]
        for key in own:
            hint = did_you_mean(key, [role.value for role in Role])
            if hint:
                yield document.problem(step.node.keys[key], f"the key `{key}` is not known here", hint)
                return
        yield document.problem(step.node, "the step does not say what to do", usage)


def _folded(document: Document, step: StepOutline) -> Iterator[Problem]:
    for holder in (step.node, *(way.node for way in step.ways()), *step.probes()):
        for key in sorted(FOLDED & set(holder.items)):
            yield document.problem(
                holder.keys[key], f"the key `{key}` is not known here", "The kind's keys stand beside `check: KIND`."
            )
    if step.role is Role.ATTESTATION and "statements" in step.node.items:
        place = step.node.keys["statements"]
        yield document.problem(place, "the key `statements` is not known here", "Write `attest:` and the statements.")


def _params_problems(
    document: Document, outline: Outline, registry: Registry, used: Used, part: _Part
) -> Iterator[Problem]:
    kind = find_kind(registry, part.role, part.kind)
    yield from template_problems(document, part.params, outline, frozenset(outline.inputs.items), used)
    if kind is None:
        message, hint = unknown_kind(registry, part.role, part.kind)
        if part.is_probe and hint.startswith("Write"):
            hint = "A probe only reads, so it is a check."
        yield document.problem(part.kind_node, message, hint)
        used.unsure.update(scalar.text for scalar in part.params.scalars())
        return
    yield from _model_problems(document, part, kind)
    for use in uses(kind, part.params, part.kind_node):
        if use.ref.to != "input":
            continue
        used.inputs.add(use.name)
        if use.name not in outline.inputs.items:
            hint = did_you_mean(use.name, outline.inputs.items, "The inputs are") or "Declare it under `inputs`."
            yield document.problem(use.node, f"there is no input named `{use.name}`", hint)


def _model_problems(document: Document, part: _Part, kind: type[Kind[Any]]) -> list[Problem]:
    data = part.params.data()
    if isinstance(data.get("statements"), str) and part.role is Role.ATTESTATION:
        data["statements"] = [data["statements"]]
    try:
        kind.Params.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        due = [details for details in error.errors(include_url=False) if not _deferred(part.params, details)]
        if not due:
            return []
        common = [] if part.role is Role.ATTESTATION else sorted(part.common)

        def known(loc: Loc) -> list[str]:
            return keys_at(kind.Params, loc) + (common if not loc else [])

        return problems_of(due, document, part.params, kind.Params, known=known)
    except Exception as error:  # noqa: BLE001 - the validators of a plug-in may fail in any way
        said = f"the keys of `{part.kind}` cannot be checked: {type(error).__name__}"
        return [document.problem(part.kind_node, said, "Report it to those who provide this kind.")]
    return []


def _deferred(params: Map, details: Any) -> bool:
    """Whether the value is known only when the step runs."""
    if details["type"] in ("extra_forbidden", "missing"):
        return False
    return templates.is_template(locate(params, details["loc"]).node.data())


def uses(kind: type[Kind[Any]], params: Map, kind_node: Node) -> Iterator[Use]:
    """The references that a step makes, also by its kind's defaults; those known only later are left out."""
    seen: set[tuple[int, str]] = set()
    for node, ref in refs(kind.Params, params):
        name = text_of(node)
        if name is not None and not templates.is_template(name) and (id(node), ref.to) not in seen:
            seen.add((id(node), ref.to))
            yield Use(node, name, ref)
    for name, ref in default_refs(kind.Params, params.items):
        yield Use(kind_node, name, ref)


def parts_of_step(registry: Registry, step: StepOutline) -> Iterator[tuple[type[Kind[Any]], Map, Node]]:
    """Kind, own keys and the kind's place: of the step, of its ways back and of the probes; raises EnvironmentLacks."""
    parts = [(step.role, step.kind, step.params, step.kind_node)] if step.role else []
    parts += [(way.role, way.kind, way.params, way.kind_node) for way in step.ways()]
    for probe in step.probes():
        if "check" in probe.items:
            parts.append((Role.CHECK, probe.text("check") or "", probe.without("check"), probe.items["check"]))
    for role, name, params, kind_node in parts:
        kind = find_kind(registry, role, name)
        if kind is not None:
            yield kind, params, kind_node


def template_problems(
    document: Document, node: Node, outline: Outline, known: frozenset[str], used: Used
) -> Iterator[Problem]:
    """What is wrong with the `{{ }}` in every text of the node."""
    secret = outline.secret_inputs()
    for scalar in node.scalars():
        if not isinstance(scalar.value, str):
            continue
        for error in templates.check(scalar.value, known):
            yield document.problem(document.inside(scalar, error.offset), error.what, error.remedy)
        for name, offset in _names(scalar):
            used.inputs.add(name)
            if name in secret:
                message = f"`{name}` is secret: a secret is never put into a text"
                yield document.problem(document.inside(scalar, offset), message, "Let the step ask for it itself.")
    yield from _keys(document, node)


def _names(scalar: Scalar) -> Iterable[tuple[str, int]]:
    try:
        return templates.names_in(str(scalar.value))
    except templates.BadTemplate:
        return ()


def _keys(document: Document, node: Node) -> Iterator[Problem]:
    """Keys never change: braces in them are a mistake."""
    if isinstance(node, Map):
        for key, value in node.items.items():
            if templates.is_template(key):
                yield document.problem(node.keys[key], "nothing can be inserted into a key")
            yield from _keys(document, value)
    elif not isinstance(node, Scalar):
        for item in getattr(node, "items", ()):
            yield from _keys(document, item)
