"""The action `docker.build`: an image from a folder on this machine."""

from __future__ import annotations

import asyncio
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from checks.containers.engine import connected
from checks.containers.errors import EngineError
from checks.containers.image import SYMPTOMS as IMAGE_SYMPTOMS
from checks.containers.image import ImageName, image_state, inspected
from checks.containers.refusals import DiskFull, ask, typed
from checks.evidence.containers import ImageState
from checks.files.reading import SYMPTOMS as FILE_SYMPTOMS
from checks.files.reading import require_folder
from checks.time_left import time_left
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import Line
from runbook.kind import Action, EngineName, Params
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient

_ENDED: Final = "returned a non-zero code"
"""How the engine tells of a program in the build that did not succeed; the program's own text stands beside it."""

_LAST: Final = 20
"""Lines of output in which the reason is looked for."""

ArgName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class BuildFailed(StepError):
    """An instruction of the Dockerfile did not succeed."""

    symptom = "build failed"


class BuildParams(Params):
    """What is built of what."""

    engine: EngineName
    context: Line = Field(
        description="The folder that is sent to the engine; relative to the runbook's folder.", examples=["step-ca"]
    )
    dockerfile: Line = Field("Dockerfile", description="Within `context`.", examples=["Dockerfile.hsm"])
    tag: ImageName = Field(description="The name of the image, as `NAME:TAG`.", examples=["ccat-step-ca:hsm-test"])
    args: Mapping[ArgName, str] = Field(
        default_factory=dict,
        description="Build arguments. Never a secret.",
        examples=[{"STEP_CA_VERSION": "{{ step_ca_version }}"}],
    )
    labels: Mapping[str, str] = Field(
        default_factory=dict,
        description="Labels of the image.",
        examples=[{"org.opencontainers.image.title": "step-ca"}],
    )
    pull: bool = Field(False, description="Ask the registry for a newer base image.")
    cache: bool = Field(True, description="Use what earlier builds have made.")
    network: Literal["default", "none", "host"] = Field("default", description="The network of its `RUN` lines.")


class DockerBuild(Action[BuildParams]):
    """Build an image through the engine, its output live; the probe is `docker.image`."""

    name = "docker.build"
    Params = BuildParams
    evidence = (ImageState,)
    symptoms: ClassVar = {
        **IMAGE_SYMPTOMS,
        "build failed": "An instruction of the Dockerfile did not succeed, or there is no such Dockerfile.",
        "folder missing": "The folder to be built is not there.",
        **FILE_SYMPTOMS,
    }
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        argv = ["docker", "build", "--tag", params.tag, "--file", f"{params.context}/{params.dockerfile}"]
        for option, values in (("--build-arg", params.args), ("--label", params.labels)):
            argv += [word for name, value in values.items() for word in (option, f"{name}={value}")]
        argv += ["--pull"] * params.pull + ["--no-cache"] * (not params.cache)
        argv += [] if params.network == "default" else ["--network", params.network]
        return (shlex.join([*argv, params.context]), f"on the engine {params.engine} of the site profile")

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        folder = resolve(ctx.folder, params.context)
        await require_folder(folder, "Correct `context`.")
        if not await asyncio.to_thread((folder / params.dockerfile).is_file):
            raise BuildFailed(f"there is no {params.dockerfile}", where=str(folder), remedy="Correct `dockerfile`.")
        loop = asyncio.get_running_loop()

        def tell(line: str) -> None:
            loop.call_soon_threadsafe(ctx.progress, line)

        async with connected(ctx, params.engine) as engine:
            await ctx.touch("image", params.tag, on=params.engine, how="built")
            failed = await ask(
                engine, lambda client: _built(client, folder, params, tell, engine.where), deadline=time_left(ctx)
            )
            if failed:
                raise failed
            image = await inspected(engine, params.tag)
        return Outcome.passed(f"built {params.tag}", image_state(engine, params.tag, image))


def _built(
    client: DockerClient, folder: Path, params: BuildParams, tell: Callable[[str], None], where: str
) -> StepError | None:
    """Build it; why it failed."""
    said: Iterator[Mapping[str, Any]] = client.api.build(
        path=str(folder),
        dockerfile=params.dockerfile,
        tag=params.tag,
        buildargs=dict(params.args),
        labels=dict(params.labels),
        pull=params.pull,
        nocache=not params.cache,
        network_mode=params.network,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=None,  # a line of the Dockerfile may say nothing for long; the step's deadline stands
    )
    failed, last = "", deque[str](maxlen=_LAST)
    for message in said:
        for line in str(message.get("stream") or message.get("status") or "").splitlines():
            if line.strip():
                tell(line)
                last.append("" if line.startswith("Step ") else line)  # that one repeats the Dockerfile
        failed = failed or str(message.get("error", ""))
    return _why(failed, last, where) if failed else None


def _why(failed: str, last: Iterable[str], where: str) -> StepError:
    """The engine's error; of a program in the build that failed, only its own words say why."""
    if _ENDED in failed:
        full = [error for line in last if isinstance(error := typed(line, where), DiskFull)]
        if full:
            return full[-1]
    elif type(error := typed(failed, where)) is not EngineError:
        return error
    return BuildFailed(clean_line(failed, 300), where=where, remedy="Read its last lines, and build again.")
