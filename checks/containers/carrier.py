"""A container that is made, never started and removed again: through it the archive API reads and writes volumes.

Its image is empty and made on the spot (`docker import` of an empty archive), so none has to be there, and nothing
of an image's content is copied into a fresh volume.
"""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from checks.containers.engine import Engine
from checks.containers.refusals import ask, tidy
from runbook.context import Context

if TYPE_CHECKING:
    from docker import DockerClient

LABEL: Final = "hsm-runbook.carrier"
"""Carriers have it, and no other container; its value is the step's id."""

ROOT: Final = "volume"
"""Where the volume is in the carrier: `/volume`, the first part of every name in its archives."""


@contextlib.asynccontextmanager
async def volume_carrier(engine: Engine, ctx: Context, volume: str) -> AsyncIterator[str]:
    """The id of a carrier of that volume, which must be there: an engine makes one that is not. Raises EngineError."""

    def make(client: DockerClient) -> tuple[str, str]:
        image = _empty_image(client)
        try:
            return _created(client, image, ctx.step_id, volume), image
        except BaseException:
            client.api.remove_image(image)
            raise

    await remove_leftovers(engine, volume)
    made, image = await ask(engine, make)
    try:
        yield made
    finally:
        await tidy(engine, lambda client: client.api.remove_container(made))
        await tidy(engine, lambda client: client.api.remove_image(image))


@contextlib.asynccontextmanager
async def image_carrier(engine: Engine, ctx: Context, image: str) -> AsyncIterator[str]:
    """The id of a container made from that image (by its id). Raises EngineError."""
    made = await ask(engine, lambda client: _created(client, image, ctx.step_id))
    try:
        yield made
    finally:
        await tidy(engine, lambda client: client.api.remove_container(made, v=True))


async def remove_leftovers(engine: Engine, volume: str) -> None:
    """Remove carriers of that volume that a killed program has left: they would keep it in use."""

    def remove(client: DockerClient) -> None:
        filters = {"label": LABEL, "volume": volume, "status": "created"}
        for found in client.api.containers(all=True, filters=filters):
            client.api.remove_container(found["Id"])
            with contextlib.suppress(Exception):  # an image that something else uses by now stays
                client.api.remove_image(found["ImageID"])

    await ask(engine, remove)


def _empty_image(client: DockerClient) -> str:
    """Its id (Docker Engine API, `POST /images/create` with `fromSrc`)."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    said = client.api.import_image_from_data(empty.getvalue())
    return str(json.loads(said.strip().splitlines()[-1])["status"])


def _created(client: DockerClient, image: str, step: str, volume: str = "") -> str:
    from docker.types import Mount

    mounts: list[Any] = [Mount(f"/{ROOT}", volume, type="volume", no_copy=True)] if volume else []
    host_config = client.api.create_host_config(mounts=mounts, network_mode="none")
    made = client.api.create_container(
        image, command=["never-started"], entrypoint=[], host_config=host_config, labels={LABEL: step}
    )
    return str(made["Id"])
