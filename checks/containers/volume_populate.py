"""The action `docker.volume.populate`: put exactly these files into a volume."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from checks.containers.carrier import ROOT, volume_carrier
from checks.containers.engine import connected
from checks.containers.refusals import VolumeInUse, VolumeNotEmpty, ask
from checks.containers.tree import TreeParams, VolumeFile, archive, wanted
from checks.containers.volume import SYMPTOMS, Expect, judged, present, read_through
from checks.evidence.containers import VolumeState
from checks.time_left import time_left
from runbook.context import Context
from runbook.kind import Action
from runbook.outcome import Outcome


class PopulateParams(TreeParams):
    """The volume, and the files that are put into it."""

    files: tuple[VolumeFile, ...] = Field(
        min_length=1,
        description="What is put into the volume, file by file.",
        examples=[[{"path": "config/ca.json", "source": "{{ repository }}/step-ca/ca.json.hsm"}]],
    )


class Populate(Action[PopulateParams]):
    """Put exactly these files into an empty volume, with owner and mode, and verify that nothing else is in it.

    They go through the archive API of a container that is made for it and never started: no program runs. Its probe is
    `docker.volume` with the same keys. A volume that holds anything else, or that a running container uses, is
    left as it is.
    """

    name = "docker.volume.populate"
    Params = PopulateParams
    evidence = (VolumeState,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        return tuple(self._plan())

    def _plan(self) -> Iterator[str]:
        params = self.params
        yield f"docker create --volume {params.volume}:/{ROOT} EMPTY-IMAGE  (never started, removed afterwards)"
        yield f"docker cp --archive - CONTAINER:/  (folders {params.owner}:{params.group} {params.folder_mode}), with"
        for file in params.files:
            owner = params.owner if file.owner is None else file.owner
            group = params.group if file.group is None else file.group
            origin = f"from {shlex.quote(file.source)}" if file.source else f"with the text {file.content!r}"
            yield f"  {file.path}, {owner}:{group} {file.mode or params.mode}, {origin}"
        yield f"docker cp CONTAINER:/{ROOT} - | tar --list --verbose"
        yield f"on the engine {params.engine} of the site profile"

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        tree = await wanted(ctx, params)
        names = {item.path for item in tree}
        async with connected(ctx, params.engine) as engine:
            volume = await present(engine, params.volume)
            if volume.running:
                raise VolumeInUse(
                    f"the volume {params.volume} is in use by {', '.join(volume.running)}",
                    where=engine.where,
                    remedy="Bring it down first.",
                )
            async with volume_carrier(engine, ctx, params.volume) as made:
                others = [entry.path for entry in await read_through(engine, ctx, made) if entry.path not in names]
                if others:
                    raise VolumeNotEmpty(
                        f"the volume {params.volume} holds {others[0]}" + (" and more" if others[1:] else ""),
                        where=engine.where,
                        remedy="Recreate the volume first; nothing was changed.",
                    )
                packed = archive(tree)
                await ctx.touch("volume", params.volume, on=params.engine, how="filled")
                await ask(engine, lambda client: client.api.put_archive(made, "/", packed), deadline=time_left(ctx))
                entries = await read_through(engine, ctx, made)
        return await judged(ctx, params, volume, entries, Expect())
