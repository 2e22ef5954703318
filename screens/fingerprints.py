"""Two values side by side in groups that two people can point at; differences marked by a sign and by place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from textual.content import Content

from runbook.groups import Group, differences, groups, marks
from screens.columns import wrap
from screens.words import BAD, QUIET, verdict

SIZE = 4
COLUMNS = 4
SIDE = 3 + COLUMNS * (SIZE + 1) - 1
"""Cells of one side: a row letter and its groups."""

GUTTER = " │ "
NAMED = 12
"""Places named in the verdict; more are counted."""


def compared(left_title: str, left: str, right_title: str, right: str, width: int) -> Iterator[Content]:
    """Both values, side by side where `width` allows it, else one under the other, and what differs."""
    one, two = list(_side(left_title, left, right)), list(_side(right_title, right, left))
    if width >= 2 * SIDE + len(GUTTER):
        blank = [Content("")]
        for mine, theirs in zip_longest(_aligned(one, two), _aligned(two, one), fillvalue=blank[0]):
            yield Content.assemble(mine.pad_right(SIDE - mine.cell_length), (GUTTER, QUIET), theirs).rstrip()
    else:
        yield from one
        yield Content("")
        yield from two
    yield Content("")
    yield from wrap(told(left, right), width)


def told(left: str, right: str) -> Content:
    """The verdict in words, with the places that differ."""
    places = differences(left, right)
    count = max(_count(left), _count(right))
    if not left or not right:
        return verdict(False, "", "nothing to compare: one side is empty")
    if not places:
        return verdict(True, f"the same in all {count} groups", "")
    named = ", ".join(places[:NAMED]) + (f" and {len(places) - NAMED} more" if len(places) > NAMED else "")
    return verdict(False, "", f"different in {named} ({len(places)} of {count} groups)")


def columns_line() -> Content:
    """The column numbers, each over its group."""
    return Content.styled("   " + " ".join(str(number).center(SIZE) for number in range(1, COLUMNS + 1)), QUIET)


def _count(value: str) -> int:
    return sum(len(row) for row in groups(value, SIZE, COLUMNS))


def _side(title: str, mine: str, other: str) -> Iterator[Content]:
    yield from wrap(Content.styled(title, "bold"), SIDE)
    yield columns_line().rstrip()
    theirs = groups(other, SIZE, COLUMNS)
    for number, row in enumerate(groups(mine, SIZE, COLUMNS)):
        yield from _row(row, theirs[number] if number < len(theirs) else [])


def _row(row: list[Group], theirs: list[Group]) -> Iterator[Content]:
    """A row of groups and the line of signs under it."""
    texts: list[Content] = []
    signs: list[str] = []
    for place, group in enumerate(row):
        there = theirs[place].text if place < len(theirs) else ""
        differs = group.text != there
        texts.append(Content.styled(group.text, f"bold {BAD}" if differs else ""))
        signs.append(marks(group.text, there).ljust(SIZE))
    yield Content.assemble((f"{row[0].row:<2} ", QUIET), Content(" ").join(texts))
    yield Content.styled(("   " + " ".join(signs)).rstrip(), f"bold {BAD}")


def _aligned(mine: list[Content], theirs: list[Content]) -> list[Content]:
    """`mine` with its title as high as the other's."""
    missing = _title_height(theirs) - _title_height(mine)
    return [Content("")] * max(0, missing) + mine


def _title_height(side: list[Content]) -> int:
    head = columns_line().rstrip().plain
    return next(number for number, line in enumerate(side) if line.plain == head)
