"""What a full lab has running besides its card: the engine, and the door to it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rehearsal.full import engines
from rehearsal.full.engine import Engine
from runbook.errors import EnvironmentLacks

FOLDER = "engine"
"""In the lab: the engine's socket and log while it runs."""


def socket_of(lab: Path) -> Path:
    """The engine's socket."""
    return lab / FOLDER / "docker.sock"


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
            self.engine = Engine(place.data, self._lab / FOLDER, held=(held,))
            await stack.enter_async_context(self.engine)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()
