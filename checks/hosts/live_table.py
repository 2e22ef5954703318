"""The table of a group while it fills: shown as often as an eye can follow, told in a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from checks.evidence.hosts_table import HostCell, HostRow, HostsTable, HostState
from runbook.context import Context

FRAME = 0.5
"""Seconds between two tables that are shown."""

TOLD = 2.0
"""Seconds between two lines that tell how far it is."""

REDS = 40
"""Hosts that are told in a line of their own when they fail."""


class LiveTable:
    """The rows by host, and what is shown of them."""

    def __init__(self, table: HostsTable, ctx: Context) -> None:
        self._rows = {row.host: row for row in table.rows}
        self._table = table
        self._ctx = ctx
        self._changed = asyncio.Event()
        self._reds = 0

    @property
    def table(self) -> HostsTable:
        return self.update()

    def update(self, **fields: Any) -> HostsTable:
        """The table as it stands, with these fields set."""
        self._table = self._table.model_copy(update={"rows": tuple(self._rows.values()), **fields})
        return self._table

    def keep(self, rows: Mapping[str, HostRow]) -> list[str]:
        """Take over what was found before; returns the hosts that are to be done."""
        self._rows |= {host: row for host, row in rows.items() if host in self._rows}
        if rows:
            self._ctx.progress(f"{len(rows)} green hosts of the attempt before are kept")
        return [host for host in self._rows if host not in rows]

    def running(self, host: str) -> None:
        """It is worked on from now."""
        cells = (HostCell(state=HostState.RUNNING),) * len(self._table.columns)
        self._set(HostRow(host=host, cells=cells, attempt=self._table.attempt))

    def done(self, host: str, cells: Sequence[HostCell], seconds: float) -> None:
        """It has ended."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        row = HostRow(host=host, cells=tuple(cells), seconds=seconds, at=at, attempt=self._table.attempt)
        self._set(row)
        if row.state.red:
            self._reds += 1
            if self._reds <= REDS:
                self._ctx.progress(f"{host}: {row.state.value}: {row.said.summary}")
            if self._reds == REDS:
                self._ctx.progress("further hosts that are not green are only counted")

    def skip(self, host: str, why: str) -> None:
        """It was not tried, and this is why."""
        row = self._rows[host]
        cell = HostCell(state=HostState.NOT_TRIED, summary=why)
        self._set(row.model_copy(update={"cells": (cell,) * len(row.cells)}))

    def close(self, why: str) -> None:
        """Whatever has not ended is not going to."""
        for host, row in self._rows.items():
            if row.state in (HostState.RUNNING, HostState.WAITING):
                state = HostState.ERRORED if row.state is HostState.RUNNING else HostState.NOT_TRIED
                cell = HostCell(state=state, summary=why, symptom="deadline")
                self._rows[host] = row.model_copy(update={"cells": (cell,) * len(row.cells)})

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Shown in here whenever something has changed, not more often than a frame."""
        showing = asyncio.create_task(self._show())
        try:
            yield
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
            self._ctx.show(self.table)

    async def _show(self) -> None:
        told = asyncio.get_running_loop().time()
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._ctx.show(self.table)
            await asyncio.sleep(FRAME)
            if asyncio.get_running_loop().time() - told >= TOLD:
                told = asyncio.get_running_loop().time()
                table = self.table
                self._ctx.progress(f"{table.done} of {len(table.rows)} hosts: {table.tally}")

    def _set(self, row: HostRow) -> None:
        self._rows[row.host] = row
        self._changed.set()
