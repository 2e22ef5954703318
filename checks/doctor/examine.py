"""The whole examination: every part has a deadline, and what does not answer in time is told as that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Sequence
from typing import Final

from checks.doctor import engines, programs, readers
from checks.doctor.abilities import terminal
from checks.doctor.finding import Finding, State
from checks.doctor.tokens import tokens
from runbook.site import Site

DEADLINE: Final = 45.0
"""Seconds for one part; they are looked at side by side."""


async def examine(site: Site | None) -> list[Finding]:
    """What this machine has of what `site` needs; None: no site profile is known, and little is known to be needed."""
    parts = [
        _bounded("tokens", _tokens(site)),
        *(_bounded(one.name, _alone(programs.program(one, site))) for one in programs.PROGRAMS),
        _bounded("SSH agent", _alone(programs.agent(os.environ))),
        *(
            _bounded(title, _alone(engines.engine(title, profile, needed=site is not None)))
            for title, profile in engines.known(site).items()
        ),
    ]
    found = [finding for part in await asyncio.gather(*parts) for finding in part]
    return [*found, *terminal(os.environ)]


async def _tokens(site: Site | None) -> Sequence[Finding]:
    seen = await tokens(site)
    return [*seen.findings, *await readers.pcscd(site, needed=seen.wants_reader)]


async def _alone(work: Awaitable[Finding]) -> Sequence[Finding]:
    return [await work]


async def _bounded(title: str, work: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(DEADLINE):
            return await work
    except TimeoutError:
        return [Finding(State.WRONG, title, f"no answer within {DEADLINE:g} s", "Look at it by hand; try again.")]
