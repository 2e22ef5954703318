"""Pydantic's errors as problems: at their place in the file, in words for people, without the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from runbook.fields import NAME_PATTERN, STEP_ID_PATTERN
from runbook.files.document import Document, Map, Node, Scalar, Seq
from runbook.files.problems import Mark, Problem, did_you_mean
from runbook.files.shapes import at, keys_at, one_of, words

Loc = Sequence[int | str]

_PATTERNS = {
    NAME_PATTERN: "letters, digits and underscores, not beginning with a digit (at most 64)",
    STEP_ID_PATTERN: "letters, digits, dots, dashes and underscores, beginning with a letter or digit (at most 64)",
}
"""What the patterns of the models say, in words."""

_LIMITS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pydantic location is in the tree."""

    node: Node
    """The deepest node that the location reaches."""
    key: Mark | None
    """Of the key that holds the node."""
    skipped: tuple[int | str, ...]
    """Steps that are no place in the file: the arms of unions, missing keys."""
    branch: Node
    """The node where the first of the skipped steps was left out."""
    name: str = ""
    """The key that holds the node; empty for an item of a list."""


def locate(root: Node, loc: Loc) -> Place:
    """Follow a location as far as the tree has it."""
    node, branch = root, root
    key: Mark | None = None
    skipped: list[int | str] = []
    name = ""
    for step in loc:
        if isinstance(node, Map) and isinstance(step, str) and step in node.items:
            key, node, name = node.keys[step], node.items[step], step
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node.items):
            key, node, name = None, node.items[step], ""
        else:
            branch = branch if skipped else node
            skipped.append(step)
    return Place(node, key, tuple(skipped), branch, name)


def problems_of(
    errors: Sequence[ErrorDetails],
    document: Document,
    root: Node,
    model: type[Any],
    *,
    known: Callable[[Loc], Sequence[str]] | None = None,
) -> list[Problem]:
    """The problems of a validation of `root` as a `model`; `known` lists the keys possible at a location."""
    keys = known or (lambda loc: keys_at(model, loc))
    kept = _without_hopeless_arms(errors, root)
    return [_problem(details, document, root, model, keys) for details in kept if not _echo(details, kept, root)]


def _problem(
    details: ErrorDetails, document: Document, root: Node, model: type[Any], keys: Callable[[Loc], Sequence[str]]
) -> Problem:
    loc, kind = details["loc"], details["type"]
    place = locate(root, loc)
    if kind == "extra_forbidden":
        key = str(loc[-1])
        hint = did_you_mean(key, keys(loc[:-1]), "The keys here are")
        return document.problem(place.key or place.node, f"the key `{key}` is not known here", hint)
    if kind == "missing":
        key = str(loc[-1])
        within = f" in `{place.name}`" if place.name else ""
        where = place.key if place.key and not isinstance(place.node, Map) else place.node
        return document.problem(where, f"the key `{key}` is missing{within}", _missing_hint(place.node, model, loc))
    if loc and loc[-1] == "[key]":
        key = str(loc[-2])
        return document.problem(place.key or place.node, f"`{key}` cannot be a name", _form(details))
    message, hint = word(details, at(model, loc), place.node)
    return document.problem(place.node, message, hint)


def _echo(details: ErrorDetails, errors: Sequence[ErrorDetails], root: Node) -> bool:
    """Whether the error only follows from another one, which is told."""
    loc = details["loc"]
    if details["type"] == "missing":  # it is there, under a wrong name
        beside = [other["loc"] for other in errors if other["type"] == "extra_forbidden"]
        return bool(did_you_mean(str(loc[-1]), [str(other[-1]) for other in beside if other[:-1] == loc[:-1]]))
    if details["type"] == "too_short":  # pydantic counts the items that are well formed
        node = locate(root, loc).node
        return isinstance(node, Seq | Map) and len(node.items) >= details.get("ctx", {}).get("min_length", 1)
    return False


def _missing_hint(node: Node, model: type[Any], loc: Loc) -> str:
    """Whether a key that is there is the missing one misspelled."""
    unknown = [key for key in node.items if key not in keys_at(model, loc[:-1])] if isinstance(node, Map) else []
    close = did_you_mean(str(loc[-1]), unknown)
    return f"`{close.split('`')[1]}` stands here; is it meant?" if close else ""


def word(details: ErrorDetails, expected: Sequence[Any], node: Node) -> tuple[str, str]:
    """Message and suggestion for an error of that type."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        said = str(context.get("error", "")) or "the value does not fit"
        return said, ""
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag(kind, context, node)
    if kind in ("enum", "literal_error"):
        options = re.findall(r"'((?:[^'\\]|\\.)*)'|(-?\d+)", str(context.get("expected", "")))
        known = [text or number for text, number in options]
        hint = did_you_mean(str(node.value), known) if isinstance(node, Scalar) else ""
        if isinstance(node, Scalar) and str(node.value) in known:
            hint = "Write it without quotes."
        return f"expected {one_of(known)}" if known else "the value is not one of those possible", hint
    if kind in _LIMITS:
        return f"expected {_LIMITS[kind].format(**context)}", ""
    if kind in ("string_too_short", "too_short"):
        least = context.get("min_length", 1)
        return ("this must not be empty" if least == 1 else f"expected at least {least} {_unit(kind, least)}"), ""
    if kind in ("string_too_long", "too_long"):
        most = context.get("max_length", 0)
        return f"expected at most {most} {_unit(kind, most)}", ""
    if kind == "string_pattern_mismatch":
        return "this does not have the expected form", _form(details)
    return f"expected {_expected(expected)}, found {_found(node)}", _quote_hint(kind, node)


def _tag(kind: str, context: dict[str, Any], node: Node) -> tuple[str, str]:
    key = str(context.get("discriminator", "")).strip("'")
    known = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
    if kind == "union_tag_not_found":
        return f"the key `{key}` is missing", ""
    given = node.text(key) if isinstance(node, Map) else None
    hint = did_you_mean(given, known) if given else ""
    return f"`{key}` must be {one_of(known)}", hint


def _unit(kind: str, count: int) -> str:
    unit = "character" if kind.startswith("string") else "item"
    return unit if count == 1 else f"{unit}s"


def _form(details: ErrorDetails) -> str:
    pattern = str(details.get("ctx", {}).get("pattern", ""))
    return f"Expected {_PATTERNS[pattern]}." if pattern in _PATTERNS else f"Expected the pattern {pattern}"


def _expected(expected: Sequence[Any]) -> str:
    said = list(dict.fromkeys(words(arm) for arm in expected if arm is not type(None)))
    return " or ".join(said) or "another value"


def _found(node: Node) -> str:
    match node:
        case Map():
            return "keys with values"
        case Seq():
            return "a list"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return "`true` or `false`"
        case Scalar(value=int() | float()):
            return "a number"
    return "text"


def _quote_hint(kind: str, node: Node) -> str:
    if kind == "string_type" and isinstance(node, Scalar) and node.value is not None:
        return "Put it in quotes to make it text."
    if kind in ("tuple_type", "list_type") and isinstance(node, Scalar):
        return "Write it as a list: `[…]`, or lines that begin with `- `."
    return ""


def _without_hopeless_arms(errors: Sequence[ErrorDetails], root: Node) -> list[ErrorDetails]:
    """For each union, the errors of the arm that the value was meant for; one error where it fits none.

    Pydantic reports each arm of a union. An arm that is wrong about the value itself (a list where there is text) was
    not meant.
    """
    kept: list[ErrorDetails] = []
    unions: dict[int, dict[int | str, list[tuple[ErrorDetails, bool]]]] = {}
    for details in errors:
        place = locate(root, details["loc"])
        tail = 1 if details["type"] == "missing" or details["loc"][-1:] == ("[key]",) else 0
        if len(place.skipped) <= tail:
            kept.append(details)
            continue
        itself = place.node is place.branch and details["type"].endswith("_type")
        unions.setdefault(id(place.branch), {}).setdefault(place.skipped[0], []).append((details, itself))
    for arms in unions.values():
        meant = [arm for arm in arms.values() if not any(itself for _, itself in arm)]
        if meant:
            kept += [details for details, _ in min(meant, key=len)]
        else:
            details = next(iter(arms.values()))[0][0]
            # The whole union is what was expected, not its first arm.
            kept.append({**details, "loc": _to_branch(root, details["loc"])})
    return kept


def _to_branch(root: Node, loc: Loc) -> tuple[int | str, ...]:
    """The location up to the union."""
    for length in range(1, len(loc) + 1):
        if locate(root, loc[:length]).skipped:
            return tuple(loc[: length - 1])
    return tuple(loc)
