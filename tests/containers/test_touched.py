"""No request of any step names a container or a volume that the site profile does not name."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.containers.build import DockerBuild
from checks.containers.container import DockerContainer
from checks.containers.image import DockerImage
from checks.containers.logs import DockerLogs
from checks.containers.transport import EngineAdapter
from checks.containers.volume import VolumeCheck
from checks.containers.volume_populate import Populate
from checks.containers.volume_recreate import Recreate
from checks.containers.volume_snapshot import Restore, Restored, Snapshot
from runbook.errors import StepError
from runbook.kind import Kind, Registry
from tests.containers.engine_bench import OTHERS, OURS, Bench

VOLUME_KINDS: tuple[type[Kind[Any]], ...] = (VolumeCheck, Recreate, Populate, Snapshot, Restore, Restored)
CONTAINER_KINDS: tuple[type[Kind[Any]], ...] = (DockerContainer, DockerLogs)
IMAGE_KINDS: tuple[type[Kind[Any]], ...] = (DockerImage, DockerBuild)

NAMED = {OURS, "spare", "step-ca", "ghost"}


class Touched:
    """Reads every request: which containers and volumes it names."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.made: set[str] = set()
        """Containers that a step made, by id."""
        self.looked_up: set[str] = set()
        """Ids that the engine gave for a name."""
        self.changing: list[str] = []

    def sent(self, request: Any) -> None:
        url = urllib.parse.urlsplit(request.url)
        query = dict(urllib.parse.parse_qsl(url.query))
        path = re.sub(r"^/v[\d.]+", "", url.path)
        if found := re.match(r"/(containers|volumes)/([^/]+)", path):
            name = urllib.parse.unquote(found[2])
            if name not in ("json", "create"):
                self.names.add(name)
        if request.method != "GET":
            self.changing.append(f"{request.method} {path}")
        for values in json.loads(query.get("filters", "{}")).items():
            self._filtered(*values)
        if path in ("/containers/create", "/volumes/create"):
            body = json.loads(request.body)
            self.names.update(filter(None, [body.get("Name"), query.get("name")]))
            self.names.update(mount["Source"] for mount in (body.get("HostConfig") or {}).get("Mounts") or ())
            assert not (body.get("HostConfig") or {}).get("Binds")

    def _filtered(self, key: str, values: list[str]) -> None:
        if key in ("name", "volume"):
            self.names.update(value.removeprefix("^/").removesuffix("$") for value in values)

    def answered(self, request: Any, answer: Any) -> None:
        if request.method == "POST" and "/containers/create" in request.url and answer.status_code == 201:
            self.made.add(answer.json()["Id"])
        if "/containers/json" in request.url and answer.status_code == 200:
            self.looked_up |= {found["Id"] for found in answer.json() if set(found["Names"]) <= {"/step-ca", "/ghost"}}


@contextmanager
def touched() -> Iterator[Touched]:
    seen, send = Touched(), EngineAdapter.send

    def watched(self: EngineAdapter, request: Any, *args: Any, **more: Any) -> Any:
        seen.sent(request)
        answer = send(self, request, *args, **more)
        seen.answered(request, answer)
        return answer

    with patch.object(EngineAdapter, "send", watched):
        yield seen


FOREIGN = st.sampled_from([OTHERS, "dex", f"{OURS}2", OURS[:-1], OURS.upper(), "step-c", "step-ca2", "a"])
ANY = FOREIGN | st.sampled_from(sorted(NAMED)) | st.from_regex(r"\A[a-z][a-z0-9_.-]{0,8}\Z")


@st.composite
def steps(draw: st.DrawFn) -> tuple[type[Kind[Any]], dict[str, Any]]:
    kind = draw(st.sampled_from(VOLUME_KINDS + CONTAINER_KINDS + IMAGE_KINDS))
    params: dict[str, Any] = {"engine": "ca"}
    if kind in VOLUME_KINDS:
        params["volume"] = draw(ANY)
    elif kind in CONTAINER_KINDS:
        params["container"] = draw(ANY)
    elif kind is DockerImage:
        params |= {"image": "base-hsm:1", "paths": ["/bin/sh"]}
    else:
        params |= {"context": ".", "tag": "made:1", "network": "none"}
    if kind is VolumeCheck:
        params["expect"] = {"empty": True}
    if kind is Populate:
        params["files"] = [{"path": "a", "content": "x"}]
    if kind in (Snapshot, Restore, Restored):
        params["file"] = f"{draw(st.integers(0, 3))}.tar"
    if kind is DockerLogs:
        params |= {"good": "hello", "wait": 0}
    return kind, params


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.lists(steps(), min_size=1, max_size=4))
def test_only_what_the_profile_names_is_touched(
    bench: Bench, made: list[tuple[type[Kind[Any]], dict[str, Any]]]
) -> None:
    import asyncio

    (bench.folder / "Dockerfile").write_text("FROM base-hsm:1\n")

    async def run() -> None:
        for kind, params in made:
            with touched() as seen:
                try:
                    await bench.context().run(kind, **params)
                except StepError as error:
                    assert error.symptom in set(kind.symptoms) - {"engine error"}, (kind, error)  # noqa: PT017 - any outcome is fine
            foreign = seen.names - NAMED - seen.made - seen.looked_up
            assert not foreign, (kind.name, params, foreign)
            wanted = params.get("volume") or params.get("container")
            assert wanted is None or wanted in NAMED or not seen.names, (kind.name, params)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def neighbours(bench: Bench) -> None:
    """A container and a volume of somebody else's, with something in it, and ours beside them."""
    bench.client.volumes.create(OTHERS)
    bench.client.volumes.create(OURS)
    bench.inside(OTHERS, "sh", "-c", "echo theirs >/data/state")
    bench.container("sleep", "600", name="dex", volume=OTHERS)
    bench.container("sh", "-c", "echo hello; sleep 600", name="step-ca")


async def test_the_watch_sees_what_it_should(bench: Bench) -> None:
    with touched() as seen:
        await bench.context().run(Populate, engine="ca", volume=OURS, files=[{"path": "a", "content": "x"}])
    assert OURS in seen.names
    assert len(seen.made) == 1
    assert any(line.startswith("PUT /containers/") for line in seen.changing)
    assert not any("start" in line for line in seen.changing)


async def test_the_checks_change_nothing_that_stays(bench: Bench) -> None:
    before = {box.id for box in bench.client.containers.list(all=True)}
    images = {image.id for image in bench.client.images.list(all=True)}
    with touched() as seen:
        await bench.context().run(VolumeCheck, engine="ca", volume=OURS, expect={"empty": True})
        await bench.context().run(DockerContainer, engine="ca", container="step-ca")
        await bench.context().run(DockerLogs, engine="ca", container="step-ca", good="hello", wait=60)
    assert {box.id for box in bench.client.containers.list(all=True)} == before
    assert {image.id for image in bench.client.images.list(all=True)} == images
    own = {f"/containers/{made}" for made in seen.made}
    for line in seen.changing:
        method, path = line.split(" ", 1)
        assert path in own or path.endswith("/create") or path.startswith("/images/"), line
        assert method in ("POST", "DELETE", "HEAD"), line


def test_every_kind_that_uses_an_engine_is_among_them(bench: Bench) -> None:
    kinds = {kind for kind in Registry().all()[0] if kind.name.startswith("docker.")}
    assert {kind.name for kind in kinds} - {"docker.engine"} == {
        kind.name for kind in VOLUME_KINDS + CONTAINER_KINDS + IMAGE_KINDS
    }
