"""What was found on many machines: a row for each host, a column for each check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine, Verdict


class HostState(StrEnum):
    """How far a host, or one check on it, is; what has ended is named as a step's verdict is."""

    FAILED = "failed"
    ERRORED = "errored"
    NOT_TRIED = "not tried"
    RUNNING = "running"
    WAITING = "waiting"
    WARNED = "warned"
    PASSED = "passed"

    @classmethod
    def of(cls, verdict: Verdict) -> HostState:
        """The state after a verdict; what is neither green nor failed has no verdict on the host."""
        known = {Verdict.PASSED: cls.PASSED, Verdict.WARNED: cls.WARNED, Verdict.FAILED: cls.FAILED}
        return known.get(verdict, cls.ERRORED)

    @property
    def green(self) -> bool:
        return self in (HostState.PASSED, HostState.WARNED)

    @property
    def red(self) -> bool:
        return self in (HostState.FAILED, HostState.ERRORED, HostState.NOT_TRIED)


_ORDER = {state: place for place, state in enumerate(HostState)}
"""Failures first."""

ONE_BY_ONE = 12
"""Green hosts listed in lines of their own in plain text; more of them are listed by name alone."""


class HostCell(Evidence):
    """One check on one host."""

    kind: ClassVar[str] = "host check"
    state: HostState = HostState.WAITING
    summary: ForeignLine = ""
    symptom: ForeignLine = ""
    remedy: ForeignLine = ""
    details: tuple[ForeignLine, ...] = ()
    """The first lines of its evidence, where it is not green."""

    def plain(self) -> Iterator[str]:
        yield f"{self.state.value}: {self.summary}"


class HostRow(Evidence):
    """One host and its checks, in the order of the table's columns."""

    kind: ClassVar[str] = "host"
    host: ForeignLine
    cells: tuple[HostCell, ...]
    seconds: float = 0.0
    at: ForeignLine = ""
    """When it ended, RFC 3339 in UTC; empty: it has not."""
    attempt: int = 1
    """The attempt at the step that this was found in."""

    @property
    def state(self) -> HostState:
        """The state of the check that counts most: what failed, what is not done, then what is green."""
        return self.said.state

    @property
    def said(self) -> HostCell:
        """The check that counts most."""
        return self.cells[0] if len(self.cells) == 1 else min(self.cells, key=lambda cell: _ORDER[cell.state])

    def plain(self) -> Iterator[str]:
        yield f"{self.host}: {self.state.value}: {self.said.summary}"


class HostsTable(Evidence):
    """Hosts × checks."""

    kind: ClassVar[str] = "hosts"
    on: ForeignLine
    """The group, or the hosts, as the step names them."""
    columns: tuple[ForeignLine, ...]
    rows: tuple[HostRow, ...]
    """In the order of the group."""
    at_least: int
    """Hosts that must be green."""
    parallel: int
    """Hosts worked on at a time."""
    attempt: int = 1
    rule: ForeignLine = ""
    """SHA-256 in hex of what was checked: results are kept for a further attempt only while this stays."""
    attached: ForeignLine = ""
    """The attachment that has every host's evidence."""

    @property
    def sorted(self) -> tuple[HostRow, ...]:
        """Failures first, then what is not done, then the green ones; otherwise in the order of the group."""
        return tuple(sorted(self.rows, key=lambda row: _ORDER[row.state]))

    @property
    def counts(self) -> Counter[HostState]:
        return Counter(row.state for row in self.rows)

    @property
    def green(self) -> int:
        return sum(row.state.green for row in self.rows)

    @property
    def done(self) -> int:
        return sum(row.state not in (HostState.WAITING, HostState.RUNNING) for row in self.rows)

    @property
    def tally(self) -> str:
        """For example `1 failed, 3 running, 8 passed`."""
        counts = self.counts
        return ", ".join(f"{counts[state]} {state.value}" for state in HostState if counts[state])

    def plain(self) -> Iterator[str]:
        count = len(self.rows)
        yield f"{self.on}: {count} {'host' if count == 1 else 'hosts'}: {self.tally}"
        yield f"at least {self.at_least} must be green; {self.parallel} at a time"
        widest = max((len(row.host) for row in self.rows), default=0)
        green = [row for row in self.sorted if row.state.green]
        for row in self.sorted:
            if not row.state.green or len(green) <= ONE_BY_ONE:
                yield from self._row(row, widest)
        if len(green) > ONE_BY_ONE:
            yield f"ok  {', '.join(row.host for row in green)}"
        if self.attached:
            yield f"the evidence of every host is in the attachment {self.attached}"

    def _row(self, row: HostRow, widest: int) -> Iterator[str]:
        sign = "ok " if row.state.green else "BAD" if row.state.red else " … "
        for name, cell in zip(self.columns, row.cells, strict=True):
            if len(row.cells) > 1 and row.state.red and cell.state.green:
                continue
            kept = f" (attempt {row.attempt})" if row.attempt != self.attempt and row.at else ""
            column = f"{name}: " if len(self.columns) > 1 else ""
            said = cell.summary or cell.state.value
            word = "" if cell.state in (HostState.PASSED, HostState.FAILED) else f"{cell.state.value}: "
            yield f"{sign} {row.host.ljust(widest)}  {column}{word if cell.summary else ''}{said}{kept}"
            if cell.remedy and cell.state.red:
                yield f"      {cell.remedy}"
            yield from (f"      {line}" for line in cell.details)
