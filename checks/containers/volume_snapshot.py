"""The actions `docker.volume.snapshot` and `docker.volume.restore`: a volume as a file on this machine, and back."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.containers.carrier import ROOT, volume_carrier
from checks.containers.engine import Engine, connected
from checks.containers.refusals import VolumeInUse, VolumeNotEmpty, ask
from checks.containers.snapshot_file import SYMPTOMS as FILE_SYMPTOMS
from checks.containers.snapshot_file import Draft, hash_file, verified
from checks.containers.tree import VolumeParams
from checks.containers.volume import SYMPTOMS, Volume, present, read_through
from checks.evidence.containers import VolumeEntry, VolumeState
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Action, Check
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.threads import in_thread

if TYPE_CHECKING:
    from docker import DockerClient

_SYMPTOMS: Mapping[str, str] = {
    **SYMPTOMS,
    **FILE_SYMPTOMS,
    "changed": "The volume was changed while it was read, so the snapshot would be none of any moment.",
}


class SnapshotParams(VolumeParams):
    """The volume and the file."""

    file: Line = Field(
        description="The archive on this machine; relative to the runbook's folder.",
        examples=["{{ snapshots }}/step-ca-data.tar"],
    )


class RestoreParams(SnapshotParams):
    """The same, and what the file must be."""

    sha256: str = Field(
        "",
        pattern=r"^([0-9a-fA-F]{64})?$",
        description="Without it, the one in `FILE.sha256`.",
        examples=["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    )


class Snapshot(Action[SnapshotParams]):
    """Keep a volume as an archive on this machine, readable by this account alone, with its SHA-256 beside it.

    It is read back and compared with the volume before it gets its name. Nothing is overwritten, and a volume that a
    running container uses is not read: the snapshot would be none of any moment.
    """

    name = "docker.volume.snapshot"
    Params = SnapshotParams
    evidence = (VolumeState,)
    symptoms: ClassVar = _SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        file = shlex.quote(params.file)
        return (
            f"docker create --volume {params.volume}:/{ROOT} EMPTY-IMAGE  (never started, removed afterwards)",
            f"umask 077; docker cp CONTAINER:/{ROOT} - > {file}",
            f"sha256sum {file} > {file}.sha256",
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        path = resolve(ctx.folder, params.file)
        draft = await in_thread(lambda: Draft(path))
        try:
            async with connected(ctx, params.engine) as engine:
                volume = await _at_rest(engine, params.volume)
                async with volume_carrier(engine, ctx, params.volume) as made:

                    def fetch(client: DockerClient) -> str:
                        return draft.write(client.api.get_archive(made, f"/{ROOT}")[0])

                    digest = await ask(engine, fetch, deadline=time_left(ctx))
                    entries = await in_thread(draft.entries)
                    now = await read_through(engine, ctx, made)
            if entries != now:
                said = f"the volume {params.volume} was changed while it was read"
                return Outcome.failed(said, volume.state(now, problems=(said,)), symptom="changed")
            for written in (path, hash_file(path)):
                await ctx.touch("file", str(written), how="written")
            await in_thread(lambda: draft.keep(digest))
        finally:
            await in_thread(draft.close)
        state = volume.state(entries, file=str(path), file_sha256=digest)
        return Outcome.passed(f"the volume {params.volume} is kept: {len(entries) - 1} entries in {path.name}", state)


class Restore(Action[RestoreParams]):
    """Put a snapshot back into its empty volume, and compare what is in it then with the snapshot.

    The file must have the SHA-256 that was noted when it was made. A volume that holds anything else, or that a
    running container uses, is left as it is.
    """

    name = "docker.volume.restore"
    Params = RestoreParams
    evidence = (VolumeState,)
    symptoms: ClassVar = _SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        file = shlex.quote(params.file)
        check = f"echo '{params.sha256}  {params.file}' | sha256sum --check" if params.sha256 else ""
        return (
            check or f"sha256sum --check {file}.sha256",
            f"docker create --volume {params.volume}:/{ROOT} EMPTY-IMAGE  (never started, removed afterwards)",
            f"docker cp --archive - CONTAINER:/ < {file}",
            f"docker cp CONTAINER:/{ROOT} - | tar --list --verbose",
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        path = resolve(ctx.folder, params.file)
        digest, wanted = await in_thread(lambda: verified(path, params.sha256))
        names = {entry.path for entry in wanted}
        async with connected(ctx, params.engine) as engine:
            volume = await _at_rest(engine, params.volume)
            async with volume_carrier(engine, ctx, params.volume) as made:
                others = [entry.path for entry in await read_through(engine, ctx, made) if entry.path not in names]
                if others:
                    raise VolumeNotEmpty(
                        f"the volume {params.volume} holds {others[0]}" + (" and more" if others[1:] else ""),
                        where=engine.where,
                        remedy="Recreate the volume first; nothing was changed.",
                    )
                await ctx.touch("volume", params.volume, on=params.engine, how="restored")
                await ask(engine, lambda client: _put(client, made, path), deadline=time_left(ctx))
                entries = await read_through(engine, ctx, made)
        different = tuple(_differences(wanted, entries))
        return _judged(volume.state(entries, file=str(path), file_sha256=digest, problems=different))


class Restored(Check[RestoreParams]):
    """A volume is as a snapshot has it: the same entries with the same owners, modes and contents, and nothing else."""

    name = "docker.volume.restored"
    Params = RestoreParams
    evidence = (VolumeState,)
    symptoms: ClassVar = _SYMPTOMS
    loads = Restore.loads

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        path = resolve(ctx.folder, params.file)
        if not await in_thread(lambda: os.path.lexists(path)):
            # No doubt for a probe: a snapshot gets its name last of all.
            return Outcome.failed(f"there is no {path}", symptom="snapshot missing")
        digest, wanted = await in_thread(lambda: verified(path, params.sha256))
        async with connected(ctx, params.engine) as engine:
            volume = await present(engine, params.volume)
            async with volume_carrier(engine, ctx, params.volume) as made:
                entries = await read_through(engine, ctx, made)
        names = {entry.path for entry in wanted}
        others = [f"{entry.path} is not in the snapshot" for entry in entries if entry.path not in names]
        different = (*_differences(wanted, entries), *others)
        return _judged(volume.state(entries, file=str(path), file_sha256=digest, problems=different))


def _judged(state: VolumeState) -> Outcome:
    """Whether the volume is as its snapshot."""
    if state.problems:
        return Outcome.failed(f"volume {state.volume}: {state.problems[0]}", state, symptom="content")
    return Outcome.passed(f"the volume {state.volume} is as {Path(state.file).name} has it", state)


async def _at_rest(engine: Engine, name: str) -> Volume:
    volume = await present(engine, name)
    if volume.running:
        raise VolumeInUse(
            f"the volume {name} is in use by {', '.join(volume.running)}",
            where=engine.where,
            remedy="Bring it down first.",
        )
    return volume


def _put(client: DockerClient, made: str, path: Path) -> None:
    with path.open("rb") as file:
        client.api.put_archive(made, "/", file)


def _differences(wanted: tuple[VolumeEntry, ...], found: tuple[VolumeEntry, ...]) -> Iterator[str]:
    there = {entry.path: entry for entry in found}
    for entry in wanted:
        if there.pop(entry.path, None) != entry:
            yield f"{entry.path} is not as in the snapshot"
    for path in there:
        yield f"{path} is not in the snapshot"
