"""Where a token's module runs: on this machine, or on another host. All that differs between the two."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from checks.files.process import Finished, run
from checks.hosts.carrier import FarEnd
from checks.hsm import errors
from checks.hsm.contention import SceneHere, explained
from checks.hsm.opensc import tool_environment
from checks.hsm.process import WorkerProcess
from runbook.errors import StepError


class Place(Protocol):
    """The machine that a token is on."""

    async def start(self) -> WorkerProcess:
        """A worker; its greeting tells when the module is loaded. Raises HostError, RemotingMissing."""
        ...

    async def tool(self, argv: Sequence[str], *, deadline: float) -> Finished:
        """Run one of OpenSC's tools on that machine, in the module's environment. Raises as `Machine.run` does."""
        ...

    async def explained(self, error: errors.TokenError) -> errors.TokenError:
        """The error with its cause, where that machine shows it; never raises."""
        ...

    def unloaded(self, end: FarEnd) -> StepError:
        """Why a module on another host was not loaded."""
        ...


class Here:
    """This machine."""

    def __init__(self, module: str, env: Mapping[str, str]) -> None:
        self._module = module
        self._env = env

    async def start(self) -> WorkerProcess:
        return await WorkerProcess.spawn(self._module, self._env)

    async def tool(self, argv: Sequence[str], *, deadline: float) -> Finished:
        base = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        quick = await asyncio.to_thread(tool_environment)
        return await run(argv, deadline=deadline, env={**base, **quick, "LC_ALL": "C", **self._env})

    async def explained(self, error: errors.TokenError) -> errors.TokenError:
        return await explained(error, SceneHere(self._env))

    def unloaded(self, end: FarEnd) -> StepError:
        raise NotImplementedError("a module here has no line")
