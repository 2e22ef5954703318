"""The check `docker.engine`: is the engine there, and is it the one that is meant?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from checks.containers.engine import Engine, connected
from checks.containers.errors import SYMPTOMS
from checks.evidence.engine import EngineInfo
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check, EngineName, Params
from runbook.outcome import Outcome

_NUMBERS = r"^[0-9]+(\.[0-9]+)*$"


class EngineExpect(Model):
    """What it must at least be."""

    version: str = Field(
        "", pattern=f"{_NUMBERS}|^$", description="The engine's version, at least; as `24.0`.", examples=["24.0"]
    )
    api: str = Field(
        "", pattern=f"{_NUMBERS}|^$", description="The version of its API, at least; as `1.41`.", examples=["1.41"]
    )


class EngineParams(Params):
    """What `docker.engine` takes."""

    engine: EngineName
    expect: EngineExpect = Field(
        EngineExpect(), description="What it must be able to do.", examples=[{"version": "24.0"}]
    )


class DockerEngine(Check[EngineParams]):
    """A Docker engine of the site profile answers, names itself as the profile says, and is new enough.

    On a host it is reached through the host's SSH connection; its socket is nowhere on the network.
    """

    name = "docker.engine"
    Params = EngineParams
    evidence = (EngineInfo,)
    symptoms: ClassVar = {
        **SYMPTOMS,
        "other engine": "The engine that answers names itself otherwise than the site profile says.",
        "engine too old": "The engine, or its API, is older than expected.",
    }
    loads = ("docker", "checks.containers.transport")

    async def run(self, ctx: Context) -> Outcome:
        async with connected(ctx, self.params.engine) as engine:
            info = await engine.call(lambda client: client.info())
            problems = list(self._problems(engine, str(info.get("Name", ""))))
            evidence = _evidence(engine, info, tuple(said for _, said in problems))
        if not problems:
            return Outcome.passed(
                f"{evidence.name} answers: Docker {evidence.version}, API {engine.version.api}", evidence
            )
        symptom, said = problems[0]
        return Outcome.failed(said, evidence, symptom=symptom, remedy=_REMEDIES[symptom])

    def _problems(self, engine: Engine, name: str) -> Iterator[tuple[str, str]]:
        """Symptom and sentence, the weightiest first."""
        wanted = engine.profile.name
        if wanted and name != wanted:
            yield "other engine", f"the engine names itself {name}, expected {wanted}"
        for what, found, least in (
            ("engine", engine.version.version, self.params.expect.version),
            ("engine's API", engine.version.api, self.params.expect.api),
        ):
            if least and _numbers(found) < _numbers(least):
                yield "engine too old", f"the {what} has version {found}, expected at least {least}"


_REMEDIES: Mapping[str, str] = {
    "other engine": "Look which engine `docker` reaches there (`docker context ls`), and name its socket as `url`.",
    "engine too old": "Update the engine.",
}


def _evidence(engine: Engine, info: Mapping[str, Any], problems: tuple[str, ...]) -> EngineInfo:
    version = engine.version
    return EngineInfo(
        engine=engine.name,
        name=str(info.get("Name", "")),
        version=version.version,
        api=f"{version.api} (from {version.oldest_api})" if version.oldest_api else version.api,
        system=version.system,
        kernel=str(info.get("KernelVersion", "")),
        storage=str(info.get("Driver", "")),
        running=int(info.get("ContainersRunning", 0)),
        containers=int(info.get("Containers", 0)),
        images=int(info.get("Images", 0)),
        reached=engine.shown,
        problems=problems,
    )


def _numbers(version: str) -> tuple[int, ...]:
    """`20.10.24+dfsg1` as (20, 10, 24)."""
    numbers = []
    for part in version.split("."):
        digits = part[: next((at for at, sign in enumerate(part) if not sign.isdigit()), len(part))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
