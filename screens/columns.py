"""Columns of styled text that fit a width: what is too long is folded, never cut."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import zip_longest

from textual.content import Content

from screens.folding import breaks
from screens.words import BAD, QUIET, verdict

Cell = Content | str

_NARROWEST = 6
"""Cells below which a column is not shrunk."""


def wrap(text: Cell, width: int, indent: int = 0, hang: int = 0) -> Iterator[Content]:
    """`text` in lines of at most `width` cells, each after `indent` spaces, folded ones after `hang` more."""
    content = _content(text)
    # What hangs keeps at least half of the room.
    hang = min(hang, max(0, width - indent) // 2)
    room = max(2, width - indent)
    for paragraph in content.split("\n", allow_blank=True) if "\n" in content.plain else [content]:
        whole = paragraph.expand_tabs() if "\t" in paragraph.plain else paragraph
        offsets = breaks(whole.plain, room, max(2, room - hang))
        for number, line in enumerate(whole.divide(offsets) if offsets else [whole]):
            yield line.rstrip().pad_left(indent + hang if number else indent)


def leading(line: str) -> int:
    """Spaces that a line begins with."""
    return len(line) - len(line.lstrip(" "))


def pairs(rows: Iterable[tuple[str, Cell]], width: int, left: int = 0, hang: int = 0) -> Iterator[Content]:
    """Names in a quiet column of at least `left` cells and values beside them, folded under themselves."""
    listed = list(rows)
    left = max(left, *(len(name) for name, _ in listed)) if listed else left
    for name, value in listed:
        for number, line in enumerate(wrap(value, width - left - 2, hang=hang)):
            yield Content.assemble(Content.styled((name if number == 0 else "").ljust(left + 2), QUIET), line)


def flow(parts: Iterable[Cell], width: int, gap: int = 2) -> Content:
    """Parts one after the other in lines of at most `width`; none is folded that fits a line of its own."""
    lines: list[list[Content]] = []
    room = 0
    for part in map(_content, parts):
        if not lines or part.cell_length > room:
            lines.append([])
            room = width
        lines[-1].append(part)
        room -= part.cell_length + gap
    return Content("\n").join(Content(" " * gap).join(line) for line in lines)


def ends(left: Content, right: Content, width: int) -> Content:
    """`left` at the beginning of a line, cut where it has no room, and `right` at its end."""
    room = max(0, width - right.cell_length)
    cut = left.truncate(room, ellipsis=True)
    return cut.pad_right(room - cut.cell_length) + right


def exact(commands: Iterable[str], width: int, style: str = BAD) -> Iterator[Content]:
    """What will be done, a bar beside it; what is folded is indented, so that no command looks like two."""
    for command in commands:
        for number, line in enumerate(wrap(command, width - 4)):
            yield Content.assemble(("▌ ", style), "  " if number else "", line.stylize_before("bold"))


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    *,
    gap: int = 2,
    under: Sequence[Cell] = (),
    numbers: Container[int] = (),
) -> Iterator[Content]:
    """A head in quiet type and rows; the widest columns give way first.

    `under` holds a remark for each row; the columns in `numbers` are set to the right.
    """
    cells = [[_content(cell) for cell in row] for row in rows]
    heads = [Content.styled(name, QUIET) for name in head]
    widths = fit([max(cell.cell_length for cell in column) for column in zip(heads, *cells, strict=True)], width, gap)
    yield from _row(heads, widths, gap, numbers)
    for number, row in enumerate(cells):
        yield from _row(row, widths, gap, numbers)
        if number < len(under) and under[number]:
            yield from wrap(under[number], width, indent=widths[0] + gap, hang=2)


def against(rows: Sequence[tuple[str, str, str, bool]], width: int) -> Iterator[Content]:
    """Name, what was expected, what was found, and whether it is right: side by side where there is room."""
    cells = [
        (name, wanted, Content.styled(found, "" if good else f"bold {BAD}"), verdict(good, "as expected", "different"))
        for name, wanted, found, good in rows
    ]
    head = ("", "expected", "found", "")
    if fits(head, cells, width):
        yield from table(head, cells, width)
        return
    stacked: list[tuple[str, Cell]] = []
    for name, wanted, found, good in rows:
        stacked.append((name, verdict(good, found, found)))
        if not good:
            stacked.append(("", Content.assemble(("expected ", QUIET), wanted)))
    yield from pairs(stacked, width)


def fits(head: Sequence[str], rows: Sequence[Sequence[Cell]], width: int, gap: int = 2) -> bool:
    """Whether a table of these needs no folding."""
    lengths = [[_content(cell).cell_length for cell in row] for row in (head, *rows)]
    widths: list[int] = [max(column) for column in zip(*lengths, strict=True)]
    return sum(widths) + gap * (len(head) - 1) <= width


def fit(natural: Sequence[int], width: int, gap: int) -> list[int]:
    """The natural widths, the widest taken down until all of them fit `width`."""
    widths = list(natural)
    while sum(widths) + gap * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _row(cells: Sequence[Content], widths: Sequence[int], gap: int, numbers: Container[int]) -> Iterator[Content]:
    folded = [list(wrap(cell, width)) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=Content("")):
        padded = []
        for number, (part, width) in enumerate(zip(parts, widths, strict=True)):
            room = max(0, width - part.cell_length)
            padded.append(part.pad_left(room).pad_right(gap) if number in numbers else part.pad_right(room + gap))
        yield Content("").join(padded).rstrip()


def _content(cell: Cell) -> Content:
    return Content(cell) if isinstance(cell, str) else cell
