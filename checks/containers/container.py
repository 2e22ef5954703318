"""The check `docker.container`: how a container is, what it is made of and what it mounts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from checks.containers.engine import Engine, connected
from checks.containers.image import ImageName, inspected
from checks.containers.refusals import (
    SYMPTOMS as REFUSALS,
)
from checks.containers.refusals import (
    ContainerMissing,
    ContainerRestarting,
    ImageMissing,
    allowed_container,
    ask,
)
from checks.evidence.containers import ContainerState
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check, ContainerName, EngineName, Params
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from docker import DockerClient

BETWEEN: Final = 1.0
"""Seconds between two looks at a container."""

SYMPTOMS: Mapping[str, str] = {
    **REFUSALS,
    "not running": "The container does not run, and should.",
    "running": "The container runs, and should not.",
    "unhealthy": "Its health check says that it is not healthy, or has not said so in time.",
    "no health check": "It has no health check, so nothing says whether it is healthy.",
    "there": "The container is there, and should not be.",
    "other image": "It was made of another image than the one that has the name now.",
    "other user": "It runs as another user than expected.",
    "mounts": "A mount is missing, is of something else, or can be written.",
}


class Mounted(Model):
    """What must be mounted somewhere in the container."""

    source: str = Field(
        "",
        max_length=4096,
        description="The volume's name, or the path on the host; empty: any.",
        examples=["ccat-ca_step-ca-data"],
    )
    read_only: bool | None = Field(None, description="Whether it must not be writable; left out: either.")


class ContainerExpect(Model):
    """How the container must be; what is not said is not judged."""

    state: Literal["running", "healthy", "stopped", "absent"] = Field(
        "running",
        description="`healthy`: it runs, and its own health check says so. `absent`: there is no such container.",
    )
    image: ImageName | None = Field(
        None,
        description="The image it must be made of, as that name stands for now.",
        examples=["ccat-step-ca:hsm-test"],
    )
    user: str | None = Field(None, max_length=255, description="As `0:0`; empty: none is set.", examples=["0:0"])
    mounts: Mapping[str, Mounted] = Field(
        default_factory=dict,
        description="By the path in the container.",
        examples=[{"/home/step": {"source": "ccat-ca_step-ca-data"}}],
    )

    @model_validator(mode="after")
    def _fits(self) -> ContainerExpect:
        if self.state == "absent" and (self.image or self.user is not None or self.mounts):
            raise ValueError("a container that is not to be there can have no other property")
        return self


class ContainerParams(Params):
    """The container, and how it must be."""

    engine: EngineName
    container: ContainerName = Field(
        description="Its name; the site profile must have it under `containers`.", examples=["ccat-ca-step-ca-1"]
    )
    wait: int = Field(0, ge=0, le=3600, description="Seconds to wait for `state`.", examples=[120])
    expect: ContainerExpect = Field(ContainerExpect(), description="How it must be.", examples=[{"state": "healthy"}])


class DockerContainer(Check[ContainerParams]):
    """A container runs, is healthy, is stopped or is not there; its image, user and mounts are as expected.

    One that the engine starts again and again is `container restarting`, whatever is waited for.
    """

    name = "docker.container"
    Params = ContainerParams
    evidence = (ContainerState,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        again = (f"each second, for up to {params.wait} s",) if params.wait else ()
        return (
            f"docker container inspect {params.container}",
            *again,
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        params, expect = self.params, self.params.expect
        until = asyncio.get_running_loop().time() + min(params.wait, time_left(ctx))
        async with connected(ctx, params.engine) as engine:
            last = ""
            while True:
                said = await container_named(engine, params.container)
                state = container_state(engine, params.container, said)
                if state.state != last:
                    ctx.progress(f"{params.container}: {state.state}")
                    last = state.state
                wrong = _wrong(expect.state, state)
                if wrong is None or not wrong[2] or asyncio.get_running_loop().time() >= until:
                    break
                await asyncio.sleep(BETWEEN)
            problems = [wrong[:2]] if wrong else []
            if said is not None:
                problems += [problem async for problem in _made_as(engine, expect, said, state)]
        if problems:
            symptom, what = problems[0]
            state = state.model_copy(update={"problems": tuple(what for _, what in problems)})
            return Outcome.failed(f"container {params.container}: {what}", state, symptom=symptom)
        return Outcome.passed(f"container {params.container} is {state.state}", state)


async def container_named(engine: Engine, name: str) -> Mapping[str, Any] | None:
    """The container as the engine describes it; None where there is none of that name. Raises NotNamed.

    It is looked for by its whole name: the engine would take a beginning of another container's id for a name.
    """
    allowed_container(engine, name)

    def inspect(client: DockerClient) -> Mapping[str, Any] | None:
        for found in client.api.containers(all=True, filters={"name": f"^/{name}$"}):
            if f"/{name}" in (found.get("Names") or ()):
                said: Mapping[str, Any] = client.api.inspect_container(found["Id"])
                return said
        return None

    try:
        return await ask(engine, inspect)
    except ContainerMissing:  # it went between the two questions
        return None


def container_state(engine: Engine, name: str, said: Mapping[str, Any] | None) -> ContainerState:
    """As evidence."""
    if said is None:
        return ContainerState(engine=engine.name, container=name, there=False)
    state, config = said["State"], said.get("Config") or {}
    return ContainerState(
        engine=engine.name,
        container=name,
        there=True,
        id=str(said["Id"]),
        image=str(config.get("Image", "")),
        image_id=str(said.get("Image", "")),
        status=str(state.get("Status", "")),
        health=str((state.get("Health") or {}).get("Status", "")).replace("none", ""),
        exit_code=state.get("ExitCode"),
        restarts=int(said.get("RestartCount", 0)),
        started=str(state.get("StartedAt", "")),
        user=str(config.get("User", "")),
        mounts=tuple(
            f"{_source(mount)}:{mount.get('Destination', '')}{'' if mount.get('RW', True) else ':ro'}"
            for mount in said.get("Mounts") or ()
        ),
    )


def _source(mount: Mapping[str, Any]) -> str:
    return str(mount.get("Name") or mount.get("Source") or "")


def _wrong(wanted: str, state: ContainerState) -> tuple[str, str, bool] | None:
    """Symptom, sentence, and whether waiting may help; None: it is as wanted."""
    if not state.there:
        return None if wanted == "absent" else (ContainerMissing.symptom, "there is no such container", True)
    if wanted == "absent":
        return "there", f"it is there ({state.state}), and should not be", True
    if wanted == "stopped":
        return None if state.status in ("created", "exited") else ("running", f"it is {state.state}", True)
    if state.status == "restarting":
        said = f"it ends again and again (last with {state.exit_code}, {state.restarts} restarts)"
        return ContainerRestarting.symptom, said, False
    if state.status != "running":
        return "not running", f"it is {state.state}", state.status == "created"
    if wanted == "healthy" and state.health != "healthy":
        if not state.health:
            return "no health check", "it has no health check", False
        return "unhealthy", f"it is {state.health}", True
    return None


async def _made_as(
    engine: Engine, expect: ContainerExpect, said: Mapping[str, Any], state: ContainerState
) -> AsyncIterator[tuple[str, str]]:
    if expect.image is not None:
        try:
            wanted = str((await inspected(engine, expect.image))["Id"])
        except ImageMissing as error:
            yield error.symptom, error.what
        else:
            if wanted != state.image_id:
                yield "other image", f"it was made of {state.image_id}, and {expect.image} is {wanted}"
    if expect.user is not None and state.user != expect.user:
        yield "other user", f"its user is {state.user or 'not set'}, expected {expect.user or 'none'}"
    for problem in _mounts(expect.mounts, said):
        yield problem


def _mounts(expected: Mapping[str, Mounted], said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found = {str(mount.get("Destination", "")): mount for mount in said.get("Mounts") or ()}
    found |= {path: {"Source": "tmpfs", "RW": True} for path in (said.get("HostConfig") or {}).get("Tmpfs") or ()}
    for path, wanted in expected.items():
        mount = found.get(path)
        if mount is None:
            yield "mounts", f"nothing is mounted at {path}"
            continue
        if wanted.source not in ("", _source(mount)):
            yield "mounts", f"{_source(mount)} is mounted at {path}, expected {wanted.source}"
        if wanted.read_only not in (None, not mount.get("RW", True)):
            yield "mounts", f"what is at {path} can {'be written' if wanted.read_only else 'only be read'}"
