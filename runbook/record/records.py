"""Events as plain JSON values and back: what the journal holds of an event (docs/journal.md).

The values are text, whole numbers within ±(2^53−1), true, false, null, lists and objects. A float and a larger
number stand as decimal text, so that a second verifier needs no number formatting at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import Any, ClassVar, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from runbook.errors import EnvironmentLacks, RunbookError
from runbook.event import Event, Level
from runbook.outcome import Evidence, Outcome, Verdict
from runbook.record.events import JOURNALLED
from runbook.secrets import MASK, Redactor, Secret

LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""


class UnreadableRecord(RunbookError):
    """A record whose chain may hold but whose content this version of the program cannot read."""


class Value(NamedTuple):
    """One field of a record."""

    level: Level
    value: Any


class UnknownEvidence(Evidence):
    """Evidence of a kind that is not installed here; it keeps its data as it was."""

    kind: ClassVar[str] = "unknown"
    original: str
    """The kind as recorded."""
    data: Mapping[str, Any]

    def plain(self) -> Iterator[str]:
        yield f"evidence of the kind {self.original}, which is not installed here"
        yield from _lines(self.data)


def _lines(value: Any, indent: str = "  ") -> Iterator[str]:
    pairs = value.items() if isinstance(value, Mapping) else ((index + 1, item) for index, item in enumerate(value))
    for key, item in pairs:
        if isinstance(item, Mapping | list) and item:
            yield f"{indent}{key}:"
            yield from _lines(item, indent + "  ")
        else:
            yield f"{indent}{key}: {item}"


def fields_of(event: Event) -> dict[str, Value]:
    """The fields of an event as plain values with their levels.

    An outcome is taken apart (`outcome.verdict`, `outcome.evidence.1`, …), so that each part can be withheld
    without the others. Raises TypeError for a value that has no plain form.
    """
    found: dict[str, Value] = {}
    for name, level in _levels(event.type).items():
        value = getattr(event, name)
        if isinstance(value, Outcome):
            found.update(_outcome_fields(name, level, value))
        else:
            found[name] = Value(level, plain(value))
    return found


def event_of(type_: str, fields: Mapping[str, Any], *, raw: bool = False) -> Event:
    """The event of a record; `raw`: with its evidence left as it was recorded, of no class that is installed here.

    Raises UnreadableRecord where the type is unknown or a field is missing or wrong.
    """
    cls = JOURNALLED.get(type_)
    if cls is None:
        raise UnreadableRecord(
            f"a record of the type `{type_}`, which this version of the program does not know",
            remedy="Read it with the version that wrote it, or a newer one.",
        )
    names, outcomes, read = _reader(type_)
    values: dict[str, Any] = {}
    try:
        values = read({name: fields[name] for name in names if name in fields})
        for name in outcomes:
            values[name] = _outcome(name, fields, _raw if raw else _evidence)
        return cls(**values)
    except ValidationError as error:
        wrong = error.errors()[0]["loc"][0]
        raise UnreadableRecord(f"the field `{wrong}` of a `{type_}` record is missing or wrong") from error
    except (KeyError, ValueError) as error:
        raise UnreadableRecord(f"the outcome of a `{type_}` record is missing or wrong") from error
    except TypeError as error:
        raise UnreadableRecord(f"a `{type_}` record lacks a field: {error}") from error


def redacted(fields: Mapping[str, Value], redactor: Redactor) -> Mapping[str, Value]:
    """The fields with every known secret removed from every text, keys included; `fields` itself where none is there.

    All the texts are looked through at once first, for hardly any event holds a secret.
    """
    texts: list[str] = []
    for field in fields.values():
        _gather(field.value, texts)
    if not redactor.finds("\n".join(texts)):
        return fields
    return {name: Value(field.level, redacted_value(field.value, redactor)) for name, field in fields.items()}


def redacted_evidence(evidence: Evidence, redactor: Redactor) -> Evidence:
    """The evidence with every known secret removed, for what is shown and not recorded."""
    data = evidence.model_dump(mode="json")
    texts: list[str] = []
    _gather(data, texts)
    if not redactor.finds("\n".join(texts)):
        return evidence
    return type(evidence).model_validate(redacted_value(data, redactor))


def _gather(value: Any, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        for item in value:
            _gather(item, texts)
    elif isinstance(value, dict):
        texts += value
        for item in value.values():
            _gather(item, texts)


def redacted_value(value: Any, redactor: Redactor) -> Any:
    """A plain value with every known secret removed from every text in it, keys included."""
    if isinstance(value, str):
        return redactor(value)
    if isinstance(value, dict):
        return {redactor(key): redacted_value(item, redactor) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted_value(item, redactor) for item in value]
    return value


def plain(value: Any) -> Any:
    """The plain form of a value; a secret becomes its mask. Raises TypeError for what has none."""
    exact = type(value)
    if (exact is str and value.isascii()) or exact is bool or value is None:
        return value
    if exact is dict:
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if exact is list or exact is tuple:
        return [plain(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Of the types that are rarer: the patterns take their time."""
    match value:
        case Enum():
            return plain(value.value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()  # lone surrogates have no UTF-8 form
        case int():
            return value if -LARGEST <= value <= LARGEST else str(value)
        case float():
            return repr(value)
        case bytes() | bytearray():
            return value.hex()
        case Secret():
            return MASK
        case PurePath():
            return plain(str(value))
        case date():
            return value.isoformat()
        case Mapping():
            return {plain(str(key)): plain(item) for key, item in value.items()}
        case Sequence():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
        case _:
            raise TypeError(f"{type(value).__name__} cannot stand in a record")


@cache
def _hints(type_: str) -> dict[str, Any]:
    """The annotation of each field, with its level."""
    cls = JOURNALLED[type_]
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


@cache
def _levels(type_: str) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for name, hint in _hints(type_).items():
        levels = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Level)]
        found[name] = levels[0] if levels else Level.INTERNAL
    return found


@cache
def _reader(type_: str) -> tuple[tuple[str, ...], tuple[str, ...], Callable[[Any], dict[str, Any]]]:
    """Fields, those that are outcomes and stand in the record in parts, and what reads all the others."""
    hints = _hints(type_)
    outcomes = tuple(name for name, hint in hints.items() if hint is Outcome)
    plain_ones = {name: hint for name, hint in hints.items() if name not in outcomes}
    make: Any = TypedDict  # a type of what a class has cannot be written out
    typed: Any = make("Fields", plain_ones, total=False)
    adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(typed)
    return tuple(plain_ones), outcomes, adapter.validator.validate_python


def _outcome_fields(name: str, level: Level, outcome: Outcome) -> dict[str, Value]:
    found = {
        f"{name}.verdict": Value(Level.PUBLIC, outcome.verdict.value),
        f"{name}.summary": Value(level, plain(outcome.summary)),
        f"{name}.symptom": Value(level, plain(outcome.symptom)),
        f"{name}.remedy": Value(level, plain(outcome.remedy)),
    }
    for number, evidence in enumerate(outcome.evidence, start=1):
        found[f"{name}.evidence.{number}"] = Value(level, _evidence_value(evidence))
    return found


def _outcome(name: str, fields: Mapping[str, Any], make: Callable[[str, Mapping[str, Any]], Evidence]) -> Outcome:
    evidence: list[Evidence] = []
    while (value := fields.get(f"{name}.evidence.{len(evidence) + 1}")) is not None:
        evidence.append(make(value["kind"], value["data"]))
    return Outcome(
        verdict=Verdict(fields[f"{name}.verdict"]),
        summary=fields[f"{name}.summary"],
        evidence=tuple(evidence),
        symptom=fields[f"{name}.symptom"],
        remedy=fields[f"{name}.remedy"],
    )


def _evidence_value(evidence: Evidence) -> dict[str, Any]:
    if isinstance(evidence, UnknownEvidence):
        return {"kind": evidence.original, "data": plain(evidence.data)}
    return {"kind": evidence.kind, "data": plain(evidence.model_dump(mode="json"))}


def _evidence(kind: str, data: Mapping[str, Any]) -> Evidence:
    cls = _evidence_class(kind)
    if cls is not None:
        try:
            return cls.model_validate(data)
        except ValidationError:
            pass  # written by another version of the class: better shown raw than not at all
    return UnknownEvidence(original=kind, data=data)


def _raw(kind: str, data: Mapping[str, Any]) -> Evidence:
    return UnknownEvidence.model_construct(original=kind, data=data)


_CLASSES: dict[str, type[Evidence]] = {}
"""Evidence classes that were looked for, by kind."""


def _evidence_class(kind: str) -> type[Evidence] | None:
    if kind not in _CLASSES:
        _CLASSES.update(_known_evidence())
    if kind not in _CLASSES:
        _load_kinds()
        _CLASSES.update(_known_evidence())
    return _CLASSES.get(kind)


def _known_evidence(root: type[Evidence] = Evidence) -> dict[str, type[Evidence]]:
    """Every evidence class that is loaded, by its kind."""
    found: dict[str, type[Evidence]] = {}
    for cls in root.__subclasses__():
        if "kind" in vars(cls) and cls is not UnknownEvidence:
            found[cls.kind] = cls
        found.update(_known_evidence(cls))
    return found


@cache
def _load_kinds() -> None:
    """Import every installed kind: the classes of its evidence come with it."""
    from runbook.kind import Registry
    from runbook.model import Role

    registry = Registry()
    for role in Role:
        for name in registry.names(role):
            try:
                registry.get(role, name)
            except EnvironmentLacks:
                continue  # a plug-in that cannot load must not hide the record
