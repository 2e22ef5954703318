"""Fingerprints in groups that two people can point at: rows lettered, columns numbered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True, slots=True)
class Group:
    """Some characters of a value and where they stand."""

    row: str
    """`A`, `B`, …"""
    column: int
    """1, 2, …"""
    text: str

    @property
    def place(self) -> str:
        """For example `B3`."""
        return f"{self.row}{self.column}"


def groups(value: str, size: int = 4, columns: int = 4) -> list[list[Group]]:
    """`value` in rows of `columns` groups of `size` characters; the last group may be shorter."""
    chunks = [value[start : start + size] for start in range(0, len(value), size)]
    rows = [chunks[start : start + columns] for start in range(0, len(chunks), columns)]
    return [[Group(_letter(r), c + 1, chunk) for c, chunk in enumerate(row)] for r, row in enumerate(rows)]


def differences(left: str, right: str, size: int = 4, columns: int = 4) -> list[str]:
    """The places of the groups that differ, also where one value is longer."""
    return [
        (mine or theirs).place
        for mine, theirs in zip_longest(_flat(left, size, columns), _flat(right, size, columns))
        if mine is None or theirs is None or mine.text != theirs.text
    ]


def marks(mine: str, other: str) -> str:
    """A line to stand under `mine`: `^` under each character that differs from `other`, else a space."""
    return "".join(" " if char == there else "^" for char, there in zip_longest(mine, other, fillvalue=""))


VEIL = "·"
"""Stands for a character that is not shown."""


def veiled(value: str, other: str, size: int = 4, columns: int = 4) -> str:
    """`value` with every group that differs from `other` hidden: it tells nobody more than `other` and the places."""
    theirs = {group.place: group.text for group in _flat(other, size, columns)}
    return "".join(
        group.text if theirs.get(group.place) == group.text else VEIL * len(group.text)
        for group in _flat(value, size, columns)
    )


def grouped_lines(value: str, size: int = 4, columns: int = 4) -> Iterator[str]:
    """The value as plain lines, each with its row letter."""
    for row in groups(value, size, columns):
        yield f"{row[0].row}  " + " ".join(group.text for group in row)


def _flat(value: str, size: int, columns: int) -> list[Group]:
    return [group for row in groups(value, size, columns) for group in row]


def _letter(row: int) -> str:
    """A … Z, then AA, AB, …"""
    head, tail = divmod(row, 26)
    return (_letter(head - 1) if head else "") + chr(ord("A") + tail)
