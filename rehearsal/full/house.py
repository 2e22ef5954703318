"""What a full lab has running besides its card: the engine, the first phase's CA in it at first, and the door to it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from rehearsal.full import engines
from rehearsal.full.engine import Engine
from rehearsal.full.first_phase import start_first_phase
from rehearsal.full.front_door import FrontDoor
from runbook.errors import EnvironmentLacks

FIRST_PHASE = "first-phase"
"""The folder in the lab with the first phase's keys and certificates."""

_FOLDER = "engine"


def socket_of(lab: Path) -> Path:
    """The engine's socket, which is there while it runs."""
    return lab / _FOLDER / "docker.sock"


def public_ca_of(lab: Path) -> Path:
    """The folder of the root that stands for the public CAs, which the engine's base image trusts."""
    return lab / "public-ca"


class House:
    """An async context manager: inside, the lab's engine runs, with the containers that are to restart.

    `engine.command(…)` runs a command in its network, `engine.inside` is a process there. All of it ends with this
    process, however it ends. Raises EnvironmentLacks.
    """

    def __init__(self, lab: Path) -> None:
        self._lab = lab
        self._stack = contextlib.AsyncExitStack()
        self.engine: Engine

    async def __aenter__(self) -> House:
        place = engines.place(self._lab)
        if not place.data.is_dir():
            raise EnvironmentLacks(
                "the engine of this lab is gone",
                where=str(place.folder),
                remedy="The run's record stays as it is. Begin a new rehearsal: `runbook rehearse --full`.",
            )
        async with contextlib.AsyncExitStack() as stack:
            held = await stack.enter_async_context(engines.alone(place))
            self.engine = Engine(place.data, self._lab / _FOLDER, held=(held,))
            await stack.enter_async_context(self.engine)
            door = FrontDoor(self._lab, public_ca_of(self._lab), self.engine.command)
            await stack.enter_async_context(door)
            await asyncio.to_thread(start_first_phase, self.engine.url, self._lab / FIRST_PHASE)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()
