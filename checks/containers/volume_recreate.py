"""The action `docker.volume.recreate`: remove a volume with all that is in it, and make it anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.containers.carrier import remove_leftovers
from checks.containers.engine import connected
from checks.containers.refusals import VolumeInUse, ask
from checks.containers.tree import TreeParams, VolumeParams
from checks.containers.volume import SYMPTOMS, Expect, judged, look, present, read
from checks.evidence.containers import VolumeState
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Action
from runbook.outcome import Outcome


class RecreateParams(VolumeParams):
    """The volume, and how it is made where it is not there any more."""

    driver: Line = Field(
        "local", description="The driver, only where the volume is not there to take it from.", examples=["local"]
    )
    options: Mapping[str, str] = Field(
        default_factory=dict,
        description="The driver's options, likewise.",
        examples=[{"type": "none", "device": "/srv/ca", "o": "bind"}],
    )
    labels: Mapping[str, str] = Field(
        default_factory=dict, description="The labels, likewise.", examples=[{"com.docker.compose.project": "ccat-ca"}]
    )


class Recreate(Action[RecreateParams]):
    """Remove a volume and everything in it, and make an empty one with the same driver, options and labels.

    Nothing brings back what was in it: mark the step `irreversible`, with `docker.volume` and `expect: {empty: true}`
    as its probe. It refuses while any container uses the volume, and names them.
    """

    name = "docker.volume.recreate"
    Params = RecreateParams
    evidence = (VolumeState,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        volume = self.params.volume
        return (
            f"docker ps --all --filter volume={volume}  (must name none)",
            f"docker volume rm {volume}",
            f"docker volume create {volume}  (with the driver, the options and the labels that it has now)",
            f"on the engine {self.params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        name = params.volume
        async with connected(ctx, params.engine) as engine:
            before = await look(engine, name)
            driver, options, labels = params.driver, params.options, params.labels
            notes = ("it was not there before",)
            if before is not None:
                if before.users:
                    raise VolumeInUse(
                        f"the volume {name} is in use by {', '.join(user for user, _ in before.users)}",
                        where=engine.where,
                        remedy="Bring them down (and remove them) first; nothing was changed.",
                    )
                driver, options, labels = before.driver, before.options, before.labels
                await remove_leftovers(engine, name)
                await ctx.touch("volume", name, on=params.engine, how="removed")
                made_of = {"name": name, "driver": driver, "options": dict(options), "labels": dict(labels)}
                # On the disk before the volume goes: should we end in between, this says how to make it again.
                await ctx.attach("volume.json", json.dumps(made_of, indent=1, sort_keys=True).encode())
                ctx.progress(f"docker volume rm {name}")
                await ask(engine, lambda client: client.api.remove_volume(name))
                notes = ("removed and made again",)
            ctx.progress(f"docker volume create {name}")
            await ctx.touch("volume", name, on=params.engine, how="created")
            await ask(engine, lambda client: client.api.create_volume(name, driver, dict(options), dict(labels)))
            after = await present(engine, name)
            entries = await read(engine, ctx, name)
            if (after.driver, after.options, after.labels) != (driver, options, labels):
                said = f"the new volume {name} has another driver, other options or labels than it should"
                return Outcome.failed(said, after.state(entries, problems=(said,)), symptom="engine error")
            of = TreeParams(engine=params.engine, volume=name)
            outcome = await judged(ctx, of, after, entries, Expect(empty=True))
        if not outcome.verdict.green:
            return outcome
        return Outcome.passed(outcome.summary, after.state(entries, notes=notes))
