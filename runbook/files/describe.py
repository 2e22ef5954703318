"""What a kind of step takes, reports and shows, in plain lines made from its models."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runbook.errors import UsageError
from runbook.files.problems import did_you_mean
from runbook.files.schema import first_paragraph
from runbook.files.shapes import arms, fields_of, is_model, item_of, value_of, words
from runbook.kind import Kind, Registry
from runbook.model import Role

WIDTH = 100


def listing(registry: Registry) -> Iterator[str]:
    """Every kind with its role and what it does."""
    kinds, failures = registry.all()
    broad = max((len(_usage(kind)) for kind in kinds), default=0)
    for kind in sorted(kinds, key=lambda kind: (list(Role).index(kind.role), kind.name)):
        yield from textwrap.wrap(
            first_paragraph(kind),
            WIDTH,
            initial_indent=f"{_usage(kind):<{broad}}  ",
            subsequent_indent=" " * (broad + 2),
        )
    for failure in failures:
        yield f"not usable: {failure}"


def describe(registry: Registry, name: str) -> Iterator[str]:
    """All about the kinds of that name; a name may be both a check's and an action's. Raises UsageError."""
    found = [registry.get(role, name) for role in Role if name in registry.names(role)]
    if not found:
        hint = did_you_mean(name, registry.names()) or "`runbook checks` lists the kinds."
        raise UsageError(f"there is no check or action named `{name}`", remedy=hint)
    for index, kind in enumerate(found):
        if index:
            yield ""
        yield from _kind(kind)


def _usage(kind: type[Kind[Any]]) -> str:
    return "attest: STATEMENTS" if kind.role is Role.ATTESTATION else f"{kind.role.value}: {kind.name}"


def _kind(kind: type[Kind[Any]]) -> Iterator[str]:
    yield _usage(kind)
    yield from _wrapped(first_paragraph(kind), "  ")
    yield ""
    fields = dict(fields_of(kind.Params))
    if kind.role is Role.ATTESTATION:
        fields.pop("statements", None)
    yield "Keys:" if fields else "Keys: none of its own"
    yield from _fields(fields, "  ", (kind.Params,))
    if kind.symptoms:
        yield ""
        yield "Symptoms, for `when:` of a hint:"
        for symptom, meaning in kind.symptoms.items():
            yield from _wrapped(f"{symptom}: {meaning}", "  ")
    if kind.evidence:
        yield ""
        yield "Evidence:"
        for evidence in kind.evidence:
            yield from _wrapped(f"{evidence.kind}: {first_paragraph(evidence)}", "  ")


def _fields(fields: dict[str, FieldInfo], indent: str, above: tuple[type[BaseModel], ...]) -> Iterator[str]:
    for key, field in fields.items():
        yield f"{indent}{key}: {words(field.annotation, field.metadata)}; {_default(field)}"
        if field.description:
            yield from _wrapped(field.description, indent + "    ")
        for model in _models(field.annotation):
            if model not in above:
                yield from _fields(fields_of(model), indent + "    ", (*above, model))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a value holds, also inside lists and mappings."""
    for arm in arms(annotation):
        if is_model(arm):
            yield arm
        elif arm is not Any and getattr(arm, "__args__", None):
            inner = value_of(arm) if words(arm).startswith("keys") else item_of(arm)
            yield from _models(inner)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True) if field.default_factory is None else None
    if value is PydanticUndefined or value is None or value in ("", (), [], {}) or isinstance(value, BaseModel):
        return "optional"
    plain = value.value if isinstance(value, Enum) else value
    return f"by default {json.dumps(plain, ensure_ascii=False, default=str)}"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
