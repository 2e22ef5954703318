"""The check `docker.image`: what an image is, where it comes from, and what is in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from checks.containers.carrier import image_carrier
from checks.containers.engine import Engine, connected
from checks.containers.refusals import SYMPTOMS as REFUSALS
from checks.containers.refusals import ImageMissing, ask
from checks.evidence.containers import ImageState
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check, EngineName, Params
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from docker import DockerClient

SYMPTOMS: Mapping[str, str] = {
    **REFUSALS,
    "path missing": "A path is not in the image, or is a link that leads nowhere.",
    "other base": "The image is not built on the one that is expected, or that one has changed since.",
    "label": "A label is missing or has another value.",
    "other user": "The image runs as another user than expected.",
}

ImageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$")]
"""`NAME:TAG`, `NAME@sha256:…`, or an id."""

AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00]*$", max_length=4096)]


class ImageExpect(Model):
    """What the image must be; what is not said is not judged."""

    base: ImageName | None = Field(
        None,
        description="An image of this engine on whose layers it must be built.",
        examples=["smallstep/step-ca:0.30.2-hsm"],
    )
    labels: Mapping[str, str] = Field(
        default_factory=dict,
        description="Labels it must have, with these values.",
        examples=[{"org.opencontainers.image.title": "step-ca"}],
    )
    user: str | None = Field(None, max_length=255, description="As the image has it; empty: root.", examples=["step"])


class ImageParams(Params):
    """The image, and what must be in it."""

    engine: EngineName
    image: ImageName = Field(description="Its name at the engine, as `NAME:TAG`.", examples=["ccat-step-ca:hsm-test"])
    paths: tuple[AbsolutePath, ...] = Field(
        (),
        description="Paths that must be in it; links are followed.",
        examples=[["/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"]],
    )
    expect: ImageExpect = Field(ImageExpect(), description="How it must be.", examples=[{"user": "step"}])


class DockerImage(Check[ImageParams]):
    """An image is there, is built on the one expected, and these paths are in it.

    The paths are looked up in a container that is made for it, never started and removed again: the image's entrypoint
    does not run.
    """

    name = "docker.image"
    Params = ImageParams
    evidence = (ImageState,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        base = (f"docker image inspect {params.expect.base}",) if params.expect.base else ()
        made = (f"docker create {params.image}  (never started, removed afterwards)",) if params.paths else ()
        looks = (f"docker cp CONTAINER:{path} - | tar --list --verbose" for path in params.paths)
        where = f"on the engine {params.engine} of the site profile"
        return (f"docker image inspect {params.image}", *base, *made, *looks, where)

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        async with connected(ctx, params.engine) as engine:
            try:
                said = await inspected(engine, params.image)
            except ImageMissing as error:
                return Outcome.failed(error.what, symptom=error.symptom, remedy=error.remedy)
            found = [("", path) for path in params.paths]
            if params.paths:
                async with image_carrier(engine, ctx, said["Id"]) as made:
                    found = await ask(engine, lambda client: [_looked(client, made, path) for path in params.paths])
            problems = [*[(symptom, what) for symptom, what in found if symptom], *await self._problems(engine, said)]
        state = image_state(
            engine,
            params.image,
            said,
            found=tuple(what for symptom, what in found if not symptom),
            problems=tuple(what for _, what in problems),
        )
        if problems:
            symptom, what = problems[0]
            return Outcome.failed(f"image {params.image}: {what}", state, symptom=symptom)
        inside = f"; all {len(found)} paths are in it" if found else ""
        return Outcome.passed(f"the image {params.image} is there{inside}", state)

    async def _problems(self, engine: Engine, said: Mapping[str, Any]) -> list[tuple[str, str]]:
        expect, config = self.params.expect, said.get("Config") or {}
        problems = []
        if expect.base is not None:
            below = _layers(await inspected(engine, expect.base))
            if not below or _layers(said)[: len(below)] != below:
                problems.append(("other base", f"it is not built on {expect.base} as that is now"))
        problems += list(_labels(expect.labels, config.get("Labels") or {}))
        user = str(config.get("User", ""))
        if expect.user is not None and user != expect.user:
            problems.append(("other user", f"it runs as {user or 'root'}, expected {expect.user or 'root'}"))
        return problems


async def inspected(engine: Engine, image: str) -> Mapping[str, Any]:
    """The image as the engine describes it (`GET /images/{name}/json`). Raises ImageMissing."""
    found: Mapping[str, Any] = await ask(engine, lambda client: client.api.inspect_image(image))
    return found


def image_state(engine: Engine, name: str, said: Mapping[str, Any], **more: Any) -> ImageState:
    """As evidence."""
    config = said.get("Config") or {}
    return ImageState(
        engine=engine.name,
        image=name,
        id=str(said["Id"]),
        created=str(said.get("Created", "")),
        size=int(said.get("Size", 0)),
        tags=tuple(said.get("RepoTags") or ()),
        labels=tuple(f"{label}={value}" for label, value in sorted((config.get("Labels") or {}).items())),
        user=str(config.get("User", "")),
        **more,
    )


def _layers(said: Mapping[str, Any]) -> list[str]:
    return list((said.get("RootFS") or {}).get("Layers") or ())


def _labels(expected: Mapping[str, str], found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for label, value in expected.items():
        if label not in found:
            yield "label", f"it has no label {label}"
        elif found[label] != value:
            yield "label", f"its label {label} is {found[label]}, expected {value}"


def _looked(client: DockerClient, container: str, path: str, *, through: str = "") -> tuple[str, str]:
    """Symptom (empty: it is there) and what the path is, by `HEAD /containers/{id}/archive`."""
    address = f"{client.api.base_url}/v{client.api.api_version}/containers/{container}/archive"
    with client.api.head(address, params={"path": path}, timeout=client.api.timeout) as answer:
        if answer.status_code == 404:
            said = f"{through} leads to {path}, which is not in it" if through else f"{path} is not in it"
            return "path missing", said
        client.api._raise_for_status(answer)
        found = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    link = str(found.get("linkTarget", ""))
    if link and not through:
        return _looked(client, container, link, through=path)
    shown = f"{through} → {path}" if through else path
    return "", f"{shown}  {_GO_TYPES.get(int(found['mode']) & ~0o777, 'file')}, {int(found['size'])} bytes"


_GO_TYPES: Mapping[int, str] = {1 << 31: "folder", (1 << 31) | (1 << 20): "folder"}
"""Go's io/fs.FileMode bits, without the permissions."""
