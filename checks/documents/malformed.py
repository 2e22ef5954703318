"""Why a text is not the document that it should be, and where."""

from __future__ import annotations

from runbook.files.problems import Mark


class Malformed(Exception):
    """The text cannot be read as its format; `mark` is the place. Carries nothing of the text's values."""

    def __init__(self, mark: Mark, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.mark = mark
        self.message = message
        self.suggestion = suggestion


def mark_at(text: str, offset: int) -> Mark:
    """The place of a character of the text."""
    before = text[:offset]
    return Mark(before.count("\n") + 1, offset - before.rfind("\n"))


def given_twice(mark: Mark, key: str, first: Mark) -> Malformed:
    """A key that stands twice in one mapping: readers differ in which of the two they take."""
    return Malformed(mark, f"`{key}` is already given in line {first.line}", "Keep one of the two.")


MAX_DEPTH = 64
"""Levels of nesting."""
