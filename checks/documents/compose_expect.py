"""What a service of a Compose file must be, as a runbook says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from checks.documents.compose_values import seconds, size
from checks.hosts.command import Patterns
from runbook.fields import Line, Model


def _duration(text: str) -> str:
    if seconds(text) is None:
        raise ValueError("write a duration with its unit, such as `30s` or `1m30s`")
    return text


def _size(text: str) -> str:
    if size(text) is None:
        raise ValueError("write a size such as `1M` or `65536`")
    return text


Duration = Annotated[str, AfterValidator(_duration)]
Size = Annotated[str, AfterValidator(_size)]
Octal = Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$", description="In quotes: `'0700'`.")]
Glob = Annotated[str, Field(min_length=1, max_length=500, description="`*` stands for any text.")]


class Build(Model):
    """The image is built from the project, not taken ready-made."""

    context: Line = "."
    dockerfile: Line = "Dockerfile"
    args: Mapping[str, str] = Field(
        default_factory=dict, description="Build arguments that must have this value where they are given."
    )


class Variables(Model):
    """The environment of the service."""

    present: Mapping[str, str] = Field(
        default_factory=dict, description="Names and their exact text, `${…}` as the file has it."
    )
    absent: tuple[Glob, ...] = Field((), description="Names that must not be there, as patterns.")
    discouraged: tuple[Glob, ...] = Field((), description="Names that are worth a warning, as patterns.")


class Tmpfs(Model):
    """A tmpfs's options; what is not said is not judged."""

    mode: Octal | None = None
    uid: int | None = Field(None, ge=0)
    gid: int | None = Field(None, ge=0)
    size: Size | None = None


class Mount(Model):
    """A volume or a file of the project."""

    source: Line
    target: Line
    read_only: bool = Field(False, description="Judged either way: what is written to must be writable.")


class Health(Model):
    """The health check."""

    timeout_at_least: Duration | None = Field(None, description="Where the file says none, it is the engine's 30 s.")
    contains: Patterns = Field((), description="Patterns that the command must match.")


class Expect(Model):
    """What the service must be; what is not said is not judged."""

    build: Build | None = Field(None, description="Built, so that `image` must not be given.")
    user: Line | None = Field(None, description="In quotes: `'0:0'`.")
    restart: Line | None = None
    environment: Variables = Variables()
    devices: tuple[Line, ...] = Field((), description="As `HOST:CONTAINER`; further ones are not judged.")
    tmpfs: Mapping[str, Tmpfs] = Field(default_factory=dict, description="By where it is mounted.")
    entrypoint: tuple[Line, ...] | None = Field(None, description="Exactly these words.")
    mounts: tuple[Mount, ...] = Field((), description="These must be there; further ones are not judged.")
    healthcheck: Health | None = None
    without_keys: tuple[Line, ...] = Field((), description="Keys that the service must not have.")
    without: tuple[Glob, ...] = Field(
        (), description="Patterns that no mount, device or variable of the service and no declared volume may match."
    )
    without_files: tuple[Glob, ...] = Field(
        (), description="Patterns that no file below the Compose file's folder may match; `*` also stands for slashes."
    )

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("nothing is expected, so nothing would be judged")
        return self
