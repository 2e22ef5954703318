"""Two values side by side in groups that two people can point at; differences marked by a sign and by place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

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
    one, two = _side(left_title, left, right), _side(right_title, right, left)
    if _narrow(*one, *two) and width >= 2 * SIDE + len(GUTTER):
        yield from _beside(one, two)
    else:
        for line in (*chain(*one), Content(""), *chain(*two)):
            yield from wrap(line, width)
    yield Content("")
    yield from wrap(told(left, right), width, hang=2)


def shown(values: Sequence[tuple[str, str]], width: int) -> Iterator[Content]:
    """Titles and values with nothing to compare, two beside each other where `width` allows it."""
    sides = [_side(title, value, value) for title, value in values]
    for number in range(0, len(sides), 2):
        if number:
            yield Content("")
        one, two = sides[number], sides[number + 1] if number + 1 < len(sides) else []
        if two and width >= 2 * SIDE + len(GUTTER) and _narrow(*one, *two):
            yield from _beside(one, two)
        else:
            for line in (*chain(*one), *((Content(""), *chain(*two)) if two else ())):
                yield from wrap(line, width)


def drawn(
    left_title: str, left: Sequence[str], right_title: str, right: Sequence[str], width: int
) -> Iterator[Content]:
    """Two pictures of lines, side by side where `width` allows it, else one under the other."""
    one, two = (
        [list(_title(title)), [Content(line) for line in lines]]
        for title, lines in ((left_title, left), (right_title, right))
    )
    if width >= 2 * SIDE + len(GUTTER):
        yield from _beside(one, two)
    else:
        for line in (*chain(*one), Content(""), *chain(*two)):
            yield from wrap(line, width)


def _narrow(*blocks: list[Content]) -> bool:
    """Whether no line is wider than a side: foreign text may be of characters that take two cells."""
    return all(line.cell_length <= SIDE for block in blocks for line in block)


def _title(title: str) -> Iterator[Content]:
    return wrap(Content.styled(title, "bold"), SIDE)


def _beside(one: list[list[Content]], two: list[list[Content]]) -> Iterator[Content]:
    """Block beside block, each pair as high as the higher of the two."""
    nothing: list[Content] = []
    for mine, theirs in zip_longest(one, two, fillvalue=nothing):
        for left, right in zip_longest(mine, theirs, fillvalue=Content("")):
            yield Content.assemble(left.pad_right(SIDE - left.cell_length), (GUTTER, QUIET), right).rstrip()


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


def _side(title: str, mine: str, other: str) -> list[list[Content]]:
    """Blocks of lines: the title, the column numbers, and each row with the signs under it."""
    theirs = groups(other, SIZE, COLUMNS)
    rows = [
        list(_row(row, theirs[number] if number < len(theirs) else []))
        for number, row in enumerate(groups(mine, SIZE, COLUMNS))
    ]
    return [list(_title(title)), [columns_line().rstrip()], *rows]


def _row(row: list[Group], theirs: list[Group]) -> Iterator[Content]:
    """A row of groups and, where it differs, the line of signs under it."""
    texts: list[Content] = []
    signs: list[str] = []
    for place, group in enumerate(row):
        there = theirs[place].text if place < len(theirs) else ""
        texts.append(Content.styled(group.text, f"bold {BAD}" if group.text != there else ""))
        signs.append(marks(group.text, there).ljust(SIZE))
    yield Content.assemble((f"{row[0].row:<2} ", QUIET), Content(" ").join(texts))
    if any(sign.strip() for sign in signs):
        yield Content.styled(("   " + " ".join(signs)).rstrip(), f"bold {BAD}")
