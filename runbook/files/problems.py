"""What is wrong with a file, and where: rendered so that a person finds the place at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runbook.errors import UsageError
from runbook.text import clean_line

MAX_SHOWN = 100
"""Problems printed; the rest is counted."""

_BEFORE, _AFTER = 60, 60
"""Characters of a long line kept on either side of the place."""


class Severity(StrEnum):
    """Whether the file can be used in spite of it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file, both numbers from 1; columns count characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its place."""

    path: Path
    line: int
    """From 1; 0: the file as a whole."""
    column: int
    message: str
    suggestion: str = ""
    severity: Severity = Severity.ERROR
    excerpt: str | None = None
    """The line as the file has it; None where it must not be shown or there is none."""

    @property
    def place(self) -> str:
        """`file:line:column`, or the file alone."""
        name = clean_line(str(self.path))
        return f"{name}:{self.line}:{self.column}" if self.line else name

    def render(self) -> str:
        """Place and message, the line with a caret under the place, and the suggestion."""
        kind = "warning: " if self.severity is Severity.WARNING else ""
        lines = [f"{self.place}: {kind}{clean_line(self.message)}"]
        if self.excerpt is not None and self.excerpt.strip():
            lines += _excerpt(self.excerpt, self.column)
        if self.suggestion:
            lines.append(f"  {clean_line(self.suggestion)}")
        return "\n".join(lines)

    __str__ = render

    def _order(self) -> tuple[str, int, int, str]:
        return str(self.path), self.line, self.column, self.severity


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by place, and one a place and message."""
    unique = {(p.path, p.line, p.column, p.message): p for p in problems}
    return tuple(sorted(unique.values(), key=Problem._order))


class InvalidDocument(UsageError):
    """A file that cannot be used, with every problem that was found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__(verdict(self.problems))

    def __str__(self) -> str:
        return render_all(self.problems)

    def __reduce__(self) -> tuple[type[InvalidDocument], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


def render_all(problems: Iterable[Problem]) -> str:
    """The problems one below the other, and how many were left out."""
    listed = list(problems)
    lines = [problem.render() for problem in listed[:MAX_SHOWN]]
    if len(listed) > MAX_SHOWN:
        lines.append(f"… and {len(listed) - MAX_SHOWN} more problems")
    return "\n".join(lines)


def verdict(problems: Iterable[Problem]) -> str:
    """For example `2 errors and 1 warning`."""
    severities = [problem.severity for problem in problems]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    parts = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count]
    return " and ".join(parts) or "no problems"


def did_you_mean(word: str, known: Iterable[str], listing: str = "") -> str:
    """A suggestion for a word that is not among the known ones.

    `listing` introduces the known words where none is close, for example `The inputs are`; empty: say nothing then.
    """
    candidates = sorted(set(known))
    by_folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    close = difflib.get_close_matches(word.casefold()[:100], by_folded, n=1, cutoff=0.55)
    if close:
        return f"did you mean `{by_folded[close[0]]}`?"
    if listing and candidates:
        shown = ", ".join(f"`{candidate}`" for candidate in candidates[:20])
        return f"{listing} {shown}{', …' if len(candidates) > 20 else ''}."
    return ""


def width(text: str) -> int:
    """Columns that cleaned text takes in a terminal."""
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _excerpt(line: str, column: int) -> list[str]:
    """The cleaned line and, below, a caret under the character at `column`."""
    before, after = line[: column - 1], line[column - 1 :].rstrip()
    if len(before) > _BEFORE:
        before = "…" + before[-_BEFORE:]
    if len(after) > _AFTER:
        after = after[:_AFTER] + "…"
    left = clean_line(before)
    return [f"    {left}{clean_line(after)}", f"    {' ' * width(left)}^"]
