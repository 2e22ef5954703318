"""Images of a real engine: looked into and built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.containers.build import BuildFailed, DockerBuild
from checks.containers.carrier import LABEL
from checks.containers.image import DockerImage
from checks.containers.refusals import DiskFull, ImageMissing
from checks.evidence.containers import ImageState
from runbook.outcome import Verdict
from tests.containers.engine_bench import Bench

DOCKERFILE = """\
ARG VERSION=0
FROM base-hsm:${VERSION}
USER root
RUN ["/bin/sh", "-c", "echo hello from the build; echo module >/bin/opensc-pkcs11.so"]
RUN ["/bin/busybox", "ln", "-s", "/none", "/bin/dangling"]
LABEL made.of=base-hsm
USER step
ENTRYPOINT ["/bin/fail"]
"""
TAG = "ccat-step-ca:hsm-test"


@pytest.fixture
def build(tmp_path: Path) -> dict[str, Any]:
    folder = tmp_path / "step-ca"
    folder.mkdir()
    (folder / "Dockerfile.hsm").write_text(DOCKERFILE)
    return {
        "engine": "ca",
        "context": "step-ca",
        "dockerfile": "Dockerfile.hsm",
        "tag": TAG,
        "args": {"VERSION": "1"},
        "network": "none",
    }


async def test_built_with_its_output_live_and_looked_into(bench: Bench, build: dict[str, Any]) -> None:
    ctx = bench.context()
    outcome = await ctx.run(DockerBuild, **build)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert any("hello from the build" in line for line in ctx.lines), ctx.lines
    (built,) = outcome.evidence
    assert isinstance(built, ImageState)
    assert (built.user, built.labels, built.tags) == ("step", ("made.of=base-hsm",), (TAG,))

    looked = await bench.context().run(
        DockerImage,
        engine="ca",
        image=TAG,
        paths=["/bin/opensc-pkcs11.so", "/bin/sh", "/tmp"],
        expect={"base": "base-hsm:1", "labels": {"made.of": "base-hsm"}, "user": "step"},
    )
    assert looked.verdict is Verdict.PASSED, looked
    (found,) = looked.evidence
    assert isinstance(found, ImageState)
    assert found.id == built.id
    assert [line.split("  ")[0] for line in found.found] == ["/bin/opensc-pkcs11.so", "/bin/sh → /bin/busybox", "/tmp"]
    assert "folder" in found.found[2]
    assert bench.client.containers.list(all=True, filters={"label": LABEL}) == []


@pytest.mark.parametrize(
    ("params", "symptom"),
    [
        ({"paths": ["/bin/sh", "/usr/lib/opensc-pkcs11.so"]}, "path missing"),
        ({"paths": ["/bin/dangling"]}, "path missing"),
        ({"expect": {"labels": {"made.of": "other"}}}, "label"),
        ({"expect": {"labels": {"more": ""}}}, "label"),
        ({"expect": {"user": ""}}, "other user"),
        ({"expect": {"base": "other:1"}}, "other base"),
    ],
)
async def test_an_image_that_is_not_as_it_should_be(
    bench: Bench, build: dict[str, Any], params: dict[str, Any], symptom: str
) -> None:
    await bench.context().run(DockerBuild, **build)
    bench.client.api.import_image_from_data(b"\0" * 10_240, repository="other", tag="1")
    bench.client.images.build(
        path=str(bench.folder / "step-ca"),
        dockerfile="Dockerfile.hsm",
        tag="unused:1",
        network_mode="none",
        buildargs={"VERSION": "1"},
    )
    outcome = await bench.context().run(DockerImage, engine="ca", image=TAG, **params)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom), outcome
    assert symptom in DockerImage.symptoms


async def test_no_image(bench: Bench) -> None:
    outcome = await bench.context().run(DockerImage, engine="ca", image="nothing:1")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "image missing")


async def test_a_base_image_that_nobody_has(bench: Bench, build: dict[str, Any]) -> None:
    with pytest.raises((ImageMissing, BuildFailed)) as raised:
        await bench.context().run(DockerBuild, **build | {"args": {"VERSION": "99"}})
    assert raised.value.symptom in DockerBuild.symptoms
    assert bench.client.images.list(TAG) == []


async def test_a_line_that_fails(bench: Bench, build: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "step-ca/Dockerfile.hsm").write_text('FROM base-hsm:1\nRUN ["/bin/sh", "-c", "exit 7"]\n')
    with pytest.raises(BuildFailed, match="7"):
        await bench.context().run(DockerBuild, **build)


@pytest.mark.parametrize(("program", "kind"), [("echo", DiskFull), (":", BuildFailed)])
async def test_a_full_disk(
    bench: Bench, build: dict[str, Any], tmp_path: Path, program: str, kind: type[Exception]
) -> None:
    """What a program says counts, and not what stands in its command."""
    (tmp_path / "step-ca/Dockerfile.hsm").write_text(
        f'FROM base-hsm:1\nRUN ["/bin/sh", "-c", "{program} write: No space left on device; exit 1"]\n'
    )
    with pytest.raises(kind):
        await bench.context().run(DockerBuild, **build)


async def test_no_dockerfile(bench: Bench, build: dict[str, Any]) -> None:
    with pytest.raises(BuildFailed, match=r"no Dockerfile\.other"):
        await bench.context().run(DockerBuild, **build | {"dockerfile": "Dockerfile.other"})


def test_the_plan_is_the_command(build: dict[str, Any]) -> None:
    line = DockerBuild(DockerBuild.Params.model_validate(build)).plan()[0]  # type: ignore[arg-type]
    assert line == (
        "docker build --tag ccat-step-ca:hsm-test --file step-ca/Dockerfile.hsm --build-arg VERSION=1 "
        "--network none step-ca"
    )
