"""Many hosts: how far all of them are, then a row for each, failures first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import ceil

from rich.cells import cell_len
from textual.content import Content

from checks.evidence.hosts_table import HostCell, HostRow, HostsTable, HostState
from screens.columns import Cell, fits, flow, pairs, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, CALM, DOUBT, GOOD, QUIET, Look

LOOKS: Mapping[HostState, Look] = {
    HostState.FAILED: Look("✗", f"bold {BAD}"),
    HostState.ERRORED: Look("!", f"bold {BAD}"),
    HostState.NOT_TRIED: Look("↷", DOUBT),
    HostState.RUNNING: Look("▶", f"bold {CALM}"),
    HostState.WAITING: Look("○", QUIET),
    HostState.WARNED: Look("▲", DOUBT),
    HostState.PASSED: Look("✓", GOOD),
}

MOST: Mapping[HostState, int] = {HostState.PASSED: 40, HostState.WAITING: 0}
OTHERS_SHOWN = 25
"""Hosts with a row of their own, by state; the others are listed by name, so that hundreds are drawn in no time."""

_BAR = 40
"""Cells of the bar at most."""


def _mark(state: HostState, word: bool = True) -> Content:
    look = LOOKS[state]
    return Content.styled(f"{look.sign} {state.value}" if word else look.sign, look.style)


@draws(HostsTable)
class HostsPane(Pane[HostsTable]):
    """A bar, the numbers, and the rows; with several checks a column for each."""

    heading = "Hosts"

    def lines(self, width: int) -> Iterator[Content]:
        found = self.evidence
        yield from pairs(
            [
                ("hosts", Content.assemble((found.on, "bold"), f"  {len(found.rows)}, {found.parallel} at a time")),
                ("so far" if found.done < len(found.rows) else "found", self._numbers(width - 8)),
                ("needed", f"{found.at_least} of {len(found.rows)} must be green"),
            ],
            width,
        )
        yield self._bar(min(width, _BAR))
        yield Content("")
        rows = found.sorted
        shown: list[HostRow] = []
        by_name: list[HostRow] = []
        for state, some in groupby(rows, lambda row: row.state):
            listed, most = list(some), MOST.get(state, OTHERS_SHOWN)
            shown += listed[:most]
            by_name += listed[most:]
        yield from (self._matrix if len(found.columns) > 1 else self._list)(shown, width)
        for state, some in groupby(by_name, lambda row: row.state):
            yield from wrap(Content.assemble(_mark(state), f"  {', '.join(row.host for row in some)}"), width, hang=2)
        if found.attached:
            yield Content("")
            yield from wrap(Content.styled(f"every host's evidence: attachment {found.attached}", QUIET), width)

    def _numbers(self, width: int) -> Content:
        counts = self.evidence.counts
        parts = [
            Content.styled(f"{LOOKS[state].sign} {counts[state]} {state.value}", LOOKS[state].style)
            for state in HostState
            if counts[state]
        ]
        return flow(parts, width)

    def _bar(self, width: int) -> Content:
        """A cell for a share of the hosts: the green from the left, then the red, the rest is not done."""
        found = self.evidence
        count = max(len(found.rows), 1)
        red = sum(row.state.red for row in found.rows)
        green_cells = found.green * width // count
        red_cells = -(-red * width // count) if red else 0
        red_cells = min(red_cells, width - green_cells)
        rest = width - green_cells - red_cells
        return Content.assemble(("━" * green_cells, GOOD), ("╳" * red_cells, BAD), ("╌" * rest, QUIET))

    def _list(self, rows: list[HostRow], width: int) -> Iterator[Content]:
        cells = [
            (_mark(row.state), Content.styled(row.host, "bold" if row.state.red else ""), self._said(row))
            for row in rows
        ]
        yield from table(("", "host", self.evidence.columns[0]), cells, width, under=[_under(row.said) for row in rows])

    def _matrix(self, rows: list[HostRow], width: int) -> Iterator[Content]:
        """Signs and words; with little room signs alone under numbered columns, as many at a time as there is room."""
        columns, under = self.evidence.columns, [self._remark(row) for row in rows]
        head = ("", "host", *columns)
        listed = [_cells(row, row.cells, words=True) for row in rows]
        if fits(head, listed, width):
            yield from table(head, listed, width, under=under)
            return
        yield from wrap(flow([f"{number} {name}" for number, name in enumerate(columns, 1)], width), width, hang=2)
        yield Content("")
        named = min(max((cell_len(row.host) for row in rows), default=0), width // 2)
        room = max(1, (width - 3 - named) // (2 + len(str(len(columns)))))
        step = ceil(len(columns) / ceil(len(columns) / room))
        for first in range(0, len(columns), step):
            if first:
                yield Content("")
            some = range(first, min(first + step, len(columns)))
            numbers = ("", "host", *(str(number + 1) for number in some))
            short = [_cells(row, [row.cells[number] for number in some], words=False) for row in rows]
            last = some[-1] == len(columns) - 1
            yield from table(numbers, short, width, under=under if last else ())

    def _remark(self, row: HostRow) -> Content:
        """What the checks that are not green say."""
        lines = []
        for name, one in zip(self.evidence.columns, row.cells, strict=True):
            if one.state.red or one.state is HostState.WARNED:
                lines.append(Content.assemble((f"{name}: ", QUIET), one.summary))
                lines += [under] if (under := _under(one)) else []
        return Content("\n").join(lines)

    def _said(self, row: HostRow) -> Content:
        kept = row.at and row.attempt != self.evidence.attempt
        said = Content.styled(row.said.summary, "" if row.state.red or row.state is HostState.WARNED else QUIET)
        return Content.assemble(said, (f"  from attempt {row.attempt}", QUIET)) if kept else said


def _cells(row: HostRow, cells: Sequence[HostCell], *, words: bool) -> tuple[Cell, ...]:
    return (_mark(row.state, word=False), row.host, *(_mark(one.state, word=words) for one in cells))


def _under(cell: HostCell) -> Content:
    """What to do, and what the evidence begins with, where the check is not green."""
    if not cell.state.red:
        return Content("")
    lines = [Content(cell.remedy)] if cell.remedy else []
    return Content("\n").join([*lines, *(Content.styled(line, QUIET) for line in cell.details)])
