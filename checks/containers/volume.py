"""The check `docker.volume`: whether a volume is there, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from checks.containers.carrier import LABEL, ROOT, volume_carrier
from checks.containers.engine import Engine, connected
from checks.containers.refusals import SYMPTOMS as REFUSALS
from checks.containers.refusals import VolumeMissing, allowed_volume, ask
from checks.containers.tree import TreeParams, listing, problems, wanted
from checks.evidence.containers import VolumeEntry, VolumeState
from checks.files.reading import SYMPTOMS as FILE_SYMPTOMS
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from docker import DockerClient

_LISTED = 200
"""Entries that are kept as evidence."""

SYMPTOMS: Mapping[str, str] = {
    **REFUSALS,
    **FILE_SYMPTOMS,
    "there": "The volume is there, and should not be.",
    "missing": "A file or folder is not in the volume.",
    "others": "Something is in the volume that should not be there.",
    "type": "Something else than expected stands at a path, such as a folder or a link.",
    "content": "A file has another content than it should.",
    "owner": "A file, a folder or the volume's root belongs to another user or group.",
    "mode": "A file, a folder or the volume's root has other permissions.",
}


class Expect(Model):
    """What the volume must be."""

    present: bool = Field(True, description="Whether it is there.")
    empty: bool = Field(False, description="Nothing is in it.")
    others: bool = Field(False, description="More than `files` may be in it.")


class VolumeCheckParams(TreeParams):
    """The volume, and what must be in it."""

    expect: Expect = Field(Expect(), description="How it must be.", examples=[{"empty": True}])

    @model_validator(mode="after")
    def _fits(self) -> VolumeCheckParams:
        if self.files and (self.expect.empty or not self.expect.present):
            raise ValueError("a volume that is to be empty or not there can have no `files`")
        if self.expect.empty and not self.expect.present:
            raise ValueError("a volume that is not to be there cannot be `empty`")
        return self


class VolumeCheck(Check[VolumeCheckParams]):
    """A volume is there or not, is empty, or holds exactly these files with owner, mode and content.

    It is read through the archive API of a container that is made for it, never started and removed again.
    """

    name = "docker.volume"
    Params = VolumeCheckParams
    evidence = (VolumeState,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        look = (f"docker volume inspect {params.volume}",)
        read = (
            f"docker create --volume {params.volume}:/{ROOT} EMPTY-IMAGE  (never started, removed afterwards)",
            f"docker cp CONTAINER:/{ROOT} - | tar --list --verbose",
        )
        inside = read if params.files or params.expect.empty else ()
        return (*look, *inside, f"on the engine {params.engine} of the site profile")

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        async with connected(ctx, params.engine) as engine:
            volume = await look(engine, params.volume)
            if volume is None:
                found = VolumeState(engine=engine.name, volume=params.volume, there=False)
                if not params.expect.present:
                    return Outcome.passed(f"there is no volume {params.volume}", found)
                return Outcome.failed(f"there is no volume {params.volume}", found, symptom=VolumeMissing.symptom)
            if not params.expect.present:
                said = f"the volume {params.volume} is there, and should not be"
                return Outcome.failed(said, volume.state(problems=(said,)), symptom="there")
            if not (params.files or params.expect.empty):
                return Outcome.passed(f"the volume {params.volume} is there", volume.state())
            entries = await read(engine, ctx, params.volume)
            return await judged(ctx, params, volume, entries, params.expect)


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume as the engine describes it (Docker Engine API, `GET /volumes/{name}`)."""

    engine: str
    name: str
    driver: str
    labels: Mapping[str, str]
    options: Mapping[str, str]
    users: tuple[tuple[str, str], ...]
    """Containers that use it: name and state."""

    @property
    def running(self) -> tuple[str, ...]:
        """Those that may be writing to it now."""
        return tuple(name for name, state in self.users if state not in ("created", "exited", "dead"))

    def state(self, entries: Sequence[VolumeEntry] = (), **more: Any) -> VolumeState:
        """As evidence."""
        return VolumeState(
            engine=self.engine,
            volume=self.name,
            there=True,
            driver=self.driver,
            labels=tuple(f"{name}={value}" for name, value in sorted(self.labels.items())),
            options=tuple(f"{name}={value}" for name, value in sorted(self.options.items())),
            used_by=tuple(f"{name} ({state})" for name, state in self.users),
            entries=tuple(entries[:_LISTED]),
            more=max(0, len(entries) - _LISTED),
            **more,
        )


async def look(engine: Engine, name: str) -> Volume | None:
    """The volume; None where it is not there. Raises NotNamed for one that the site profile does not have."""
    allowed_volume(engine, name)

    def inspect(client: DockerClient) -> Volume:
        said = client.api.inspect_volume(name)
        users = [
            ((found.get("Names") or [found["Id"]])[0].removeprefix("/"), str(found.get("State", "")))
            for found in client.api.containers(all=True, filters={"volume": name})
            if LABEL not in (found.get("Labels") or {}) and any(m.get("Name") == name for m in found.get("Mounts", ()))
        ]
        labels, options = said.get("Labels") or {}, said.get("Options") or {}
        return Volume(engine.name, name, str(said["Driver"]), labels, options, tuple(sorted(users)))

    try:
        return await ask(engine, inspect)
    except VolumeMissing:
        return None


async def present(engine: Engine, name: str) -> Volume:
    """`look`, for a volume that must be there. Raises VolumeMissing."""
    volume = await look(engine, name)
    if volume is None:
        raise VolumeMissing(
            f"there is no volume {name}", where=engine.where, remedy=f"Make it: docker volume create {name}"
        )
    return volume


async def read(engine: Engine, ctx: Context, name: str) -> tuple[VolumeEntry, ...]:
    """What is in the volume, its root first."""
    async with volume_carrier(engine, ctx, name) as made:
        return await read_through(engine, ctx, made)


async def read_through(engine: Engine, ctx: Context, made: str) -> tuple[VolumeEntry, ...]:
    """The same, through a carrier that is there already."""
    return await ask(
        engine, lambda client: listing(client.api.get_archive(made, f"/{ROOT}")[0]), deadline=time_left(ctx)
    )


async def judged(
    ctx: Context, params: TreeParams, volume: Volume, entries: Sequence[VolumeEntry], expect: Expect
) -> Outcome:
    """Whether what was found is what is wanted."""
    if expect.empty:
        found = [("others", f"{entry.path} is in it") for entry in entries if entry.path != "."]
        right = f"the volume {volume.name} is empty"
    else:
        found = list(problems(await wanted(ctx, params), entries, others=expect.others))
        right = f"the volume {volume.name} holds " + ("" if expect.others else "exactly ") + _counted(params)
    state = volume.state(entries, problems=tuple(said for _, said in found[:_LISTED]))
    if not found:
        return Outcome.passed(right, state)
    symptom, said = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Outcome.failed(f"volume {volume.name}: {said}{more}", state, symptom=symptom)


def _counted(params: TreeParams) -> str:
    count = len(params.files)
    return f"the {count} file{'' if count == 1 else 's'} that it should"
