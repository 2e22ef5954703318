"""A site profile as YAML for people: a comment above each key, and a mark where something is still to be filled in."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbook.text import clean_line

FILL_IN = "FILL IN"
"""Stands, as a comment, behind each key that has no value yet."""

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9_./@-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML 1.1 or 1.2 takes for something other than text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value and what a person should know of it."""

    key: str
    value: str | int | bool | Sequence[str] | tuple[Entry, ...] | None
    """None: still to be filled in."""
    comment: str = ""


def profile_text(heading: str, entries: Sequence[Entry]) -> str:
    """The whole file; `heading` may have several paragraphs, one a line."""
    lines = [line for paragraph in heading.splitlines() for line in _comment(paragraph, "")]
    for entry in entries:
        lines += ["", *_lines(entry, "")]
    return "\n".join(lines) + "\n"


def to_fill_in(text: str) -> int:
    """How many places of a profile are still to be filled in."""
    return sum(line.endswith(f"  # {FILL_IN}") for line in text.splitlines())


def used_in(steps: Sequence[str]) -> str:
    """For example `Used in A1.usb, A1.pcscd and 24 more steps.`"""
    if not steps:
        return "No step names it."
    if len(steps) > 8:
        return f"Used in {', '.join(steps[:6])} and {len(steps) - 6} more steps."
    return f"Used in {', '.join(steps)}."


def _lines(entry: Entry, indent: str) -> Iterator[str]:
    yield from _comment(entry.comment, indent)
    key = f"{indent}{entry.key if _PLAIN.fullmatch(entry.key) else _text(entry.key)}:"
    match entry.value:
        case None:
            yield f"{key}  # {FILL_IN}"
        case bool():
            yield f"{key} {'true' if entry.value else 'false'}"
        case int():
            yield f"{key} {entry.value}"
        case str():
            yield f"{key} {_text(entry.value)}"
        case below if below and all(isinstance(item, Entry) for item in below):
            yield key
            for number, item in enumerate(below):
                if number and not indent:
                    yield ""
                if isinstance(item, Entry):
                    yield from _lines(item, indent + "  ")
        case items:
            yield f"{key} [{', '.join(_text(str(item)) for item in items)}]"


def _comment(text: str, indent: str) -> Iterator[str]:
    said = clean_line(" ".join(text.split()))
    for line in textwrap.wrap(said, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False):
        yield f"{indent}# {line}"


def _text(value: str) -> str:
    """As a plain scalar where that is certain to be text, else in double quotes (JSON's are YAML's)."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
