"""A container engine of the site profile, through Docker's SDK: on this machine, or on a host of the site profile.

On a host, each connection is `docker system dial-stdio` there, in a channel of the host's one connection: the same
host definitions and host keys as everywhere, and the engine's socket is nowhere on the network.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

from checks.containers.errors import EngineNotResponding, EngineTooOld, UnknownEngine
from checks.containers.ways import FarWay, LocalWay, Way
from checks.hosts.hosts import Hosts
from runbook.context import Context
from runbook.errors import StepError
from runbook.site import EngineProfile
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient

CALL_DEADLINE: Final = 30.0
"""Seconds for one request, unless it says otherwise."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version:
    """What the engine says of itself (Docker Engine API, `GET /version`)."""

    version: str
    api: str
    """The newest version of the API that it speaks, as `1.41`."""
    oldest_api: str
    system: str
    """Operating system and architecture."""


class Engine:
    """A connected engine; the SDK's calls run in threads, each with a deadline."""

    def __init__(self, name: str, profile: EngineProfile, way: Way) -> None:
        self.name = name
        self.profile = profile
        self._way = way
        self._client: DockerClient | None = None
        self.version = Version("", "", "", "")

    @property
    def shown(self) -> tuple[str, ...]:
        """How it is reached, for people."""
        return self._way.shown

    @property
    def where(self) -> str:
        return f"engine {self.name} on {self.profile.on}" if self.profile.on else f"engine {self.name}"

    async def call(self, use: Callable[[DockerClient], T], *, deadline: float = CALL_DEADLINE) -> T:
        """What `use` gives, which gets the SDK's client in a thread of its own.

        Raises the EngineError that fits, a HostError, and docker.errors.APIError where the engine refuses the request
        itself. At the deadline the connections are closed under it.
        """
        assert self._client is not None  # noqa: S101 - `connected` sets it
        client = self._client
        return await self._in_thread(lambda: use(client), deadline)

    async def connect(self) -> None:
        """Ask for the versions and agree on one."""
        from docker.constants import MINIMUM_DOCKER_API_VERSION
        from docker.errors import APIError
        from docker.utils import version_lt

        from checks.containers.transport import EngineAdapter, sdk

        await self._way.prepare()
        # One for both clients: a connection may have cost somebody a password.
        adapter = EngineAdapter(self._way.connector(), CALL_DEADLINE)

        def agree() -> tuple[DockerClient, Mapping[str, Any]]:
            first = sdk(adapter, MINIMUM_DOCKER_API_VERSION, CALL_DEADLINE)
            said = first.version(api_version=False)
            if not isinstance(said, dict):
                raise ValueError("its version is no object")  # noqa: TRY004 - what answers is foreign
            speaks = str(said["ApiVersion"])
            if version_lt(speaks, MINIMUM_DOCKER_API_VERSION):
                raise EngineTooOld(
                    f"the engine speaks version {clean_line(speaks)} of its API; {MINIMUM_DOCKER_API_VERSION} is "
                    "the oldest known here",
                    remedy="Update the engine.",
                )
            return sdk(adapter, speaks, CALL_DEADLINE), said

        try:
            self._client, said = await self._in_thread(agree, CALL_DEADLINE)
        except APIError as error:
            raise self._way.why(self.where, error) from None
        self.version = Version(
            clean_line(str(said.get("Version", ""))),
            clean_line(str(said["ApiVersion"])),
            clean_line(str(said.get("MinAPIVersion", ""))),
            clean_line(f"{said.get('Os', '')}/{said.get('Arch', '')}"),
        )

    async def close(self) -> None:
        """Bounded, never raises."""
        if self._client:
            self._client.close()
        await self._way.close()

    async def _in_thread(self, work: Callable[[], T], deadline: float) -> T:
        from docker.errors import APIError, DockerException
        from requests.exceptions import RequestException

        def answered() -> T:
            try:
                return work()
            except StopIteration:  # no future takes it
                raise ValueError("its answer has come to an end") from None

        lost = self._way.lost
        thread = asyncio.ensure_future(asyncio.to_thread(answered))
        # Where nobody waits any more, what comes of it is nobody's.
        thread.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(deadline):
                result = await asyncio.shield(thread)
        except TimeoutError:
            await self._way.close()
            raise EngineNotResponding(
                f"the engine did not answer within {deadline:g} s", where=self.where, remedy="Look at its log there."
            ) from None
        except asyncio.CancelledError:
            await self._way.close()
            raise
        except StepError as error:
            error.where = error.where or self.where
            raise
        except APIError:
            raise
        except (RequestException, DockerException, OSError, KeyError, ValueError) as error:
            raise self._way.why(self.where, error) from None
        if self._way.lost > lost:  # a stream that was cut off looks to the SDK like one that has ended
            raise self._way.why(self.where, EOFError())
        return result


@contextlib.asynccontextmanager
async def connected(ctx: Context, name: str) -> AsyncIterator[Engine]:
    """The engine of that name in the site profile, for the step at hand; closed with the block.

    Raises UnknownEngine, the errors of hosts, and those of `errors`.
    """
    profile = ctx.site.engines.get(name)
    if profile is None:
        near = get_close_matches(name, ctx.site.engines, n=1)
        raise UnknownEngine(
            f"the site profile has no engine `{name}`",
            remedy=f"Did you mean `{near[0]}`?" if near else "Add it under `engines`.",
        )
    way: Way = LocalWay(profile)
    if profile.far:
        machine = await (await ctx.use(Hosts)).machine(profile.on, ctx)
        way = FarWay(profile, machine, ctx.redactor)
    engine = Engine(name, profile, way)
    try:
        await engine.connect()
        yield engine
    finally:
        await engine.close()
