"""What steps share during a run: opened on first use, ended with the run."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TypeVar

from runbook.context import Record, Resource
from runbook.secrets import Redactor
from runbook.site import Site

R = TypeVar("R", bound=Resource)

STAGE_DEADLINE = 15.0
"""Seconds that the end of a stage may take; what is not done by then is ended with the run."""


class Resources:
    """One instance of each resource class."""

    def __init__(self, site: Site, redactor: Redactor, record: Record) -> None:
        self._site = site
        self._record = record
        self._redactor = redactor
        self._open: dict[type[Resource], Resource] = {}
        self._opening = asyncio.Lock()

    async def use(self, resource: type[R]) -> R:
        """The shared instance; opens it when it is asked for the first time."""
        async with self._opening:
            if resource not in self._open:
                opened = self._open[resource] = await resource.open(self._site, self._redactor)
                opened.record = self._record
            found = self._open[resource]
        assert isinstance(found, resource)  # noqa: S101 - the dictionary's key is the class
        return found

    async def end_stage(self) -> None:
        """Tell every resource that the stage has ended."""
        for resource in self._open.values():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STAGE_DEADLINE):
                    await resource.end_stage()

    async def close(self) -> None:
        """Close all, newest first."""
        while self._open:
            _, resource = self._open.popitem()
            await resource.close()
