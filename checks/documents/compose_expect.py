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

    context: Line = Field(".", description="The folder that the image is built from.", examples=["./step-ca"])
    dockerfile: Line = Field("Dockerfile", description="Within `context`.", examples=["Dockerfile.hsm"])
    args: Mapping[str, str] = Field(
        default_factory=dict,
        description="Build arguments that must have this value where they are given.",
        examples=[{"STEP_CA_VERSION": "{{ step_ca_version }}"}],
    )


class Variables(Model):
    """The environment of the service."""

    present: Mapping[str, str] = Field(
        default_factory=dict,
        description="Names and their exact text, `${…}` as the file has it.",
        examples=[{"HSM_SERIAL": "${HSM_SERIAL}"}],
    )
    absent: tuple[Glob, ...] = Field(
        (), description="Names that must not be there, as patterns.", examples=[["*PASSWORD*"]]
    )
    discouraged: tuple[Glob, ...] = Field(
        (), description="Names that are worth a warning, as patterns.", examples=[["LETSENCRYPT_*"]]
    )


class Tmpfs(Model):
    """A tmpfs's options; what is not said is not judged."""

    mode: Octal | None = Field(None, description="Its permissions.", examples=["0700"])
    uid: int | None = Field(None, ge=0, description="Its owner's number.", examples=[0])
    gid: int | None = Field(None, ge=0, description="Its group's number.", examples=[0])
    size: Size | None = Field(None, description="Its size.", examples=["1m"])


class Mount(Model):
    """A volume or a file of the project."""

    source: Line = Field(
        description="The volume, or the file or folder beside the Compose file.", examples=["step-ca-data"]
    )
    target: Line = Field(description="Where it is in the container.", examples=["/home/step"])
    read_only: bool = Field(False, description="Judged either way: what is written to must be writable.")


class Health(Model):
    """The health check."""

    timeout_at_least: Duration | None = Field(
        None, description="Where the file says none, it is the engine's 30 s.", examples=["10s"]
    )
    contains: Patterns = Field((), description="Patterns that the command must match.", examples=[["step ca health"]])


class Expect(Model):
    """What the service must be; what is not said is not judged."""

    build: Build | None = Field(
        None,
        description="Built, so that `image` must not be given.",
        examples=[{"context": "./step-ca", "dockerfile": "Dockerfile.hsm"}],
    )
    user: Line | None = Field(None, description="In quotes: `'0:0'`.", examples=["0:0"])
    restart: Line | None = Field(None, description="Its restart policy.", examples=["unless-stopped"])
    environment: Variables = Field(
        Variables(), description="Its environment.", examples=[{"absent": ["STEP_CA_PASSWORD*"]}]
    )
    devices: tuple[Line, ...] = Field(
        (), description="As `HOST:CONTAINER`; further ones are not judged.", examples=[["/dev/bus/usb:/dev/bus/usb"]]
    )
    tmpfs: Mapping[str, Tmpfs] = Field(
        default_factory=dict,
        description="By where it is mounted.",
        examples=[{"/run/secrets": {"mode": "0700", "size": "1m"}}],
    )
    entrypoint: tuple[Line, ...] | None = Field(
        None, description="Exactly these words.", examples=[["/usr/local/bin/step-ca-hsm-entrypoint.sh"]]
    )
    mounts: tuple[Mount, ...] = Field(
        (),
        description="These must be there; further ones are not judged.",
        examples=[[{"source": "step-ca-data", "target": "/home/step"}]],
    )
    healthcheck: Health | None = Field(None, description="Its health check.", examples=[{"timeout_at_least": "10s"}])
    without_keys: tuple[Line, ...] = Field(
        (), description="Keys that the service must not have.", examples=[["privileged"]]
    )
    without: tuple[Glob, ...] = Field(
        (),
        description="Patterns that no mount, device or variable of the service and no declared volume may match.",
        examples=[["*softhsm*"]],
    )
    without_files: tuple[Glob, ...] = Field(
        (),
        description="Patterns that no file below the Compose file's folder may match; `*` also stands for slashes.",
        examples=[["step-ca/*softhsm*"]],
    )

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("nothing is expected, so nothing would be judged")
        return self
