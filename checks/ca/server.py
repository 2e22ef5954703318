"""The parameters of every kind of step that asks a server, and the client that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, field_validator, model_validator

from checks.ca.place import SECONDS, place_of
from checks.ca.trust import Trust, trust_of
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Params

if TYPE_CHECKING:
    from checks.ca.client import Client


class PlaceParams(Params):
    """Which server, and where it is."""

    url: str = Field(
        min_length=1,
        max_length=2000,
        description="As its clients write it: `https://NAME`, with a port where it needs one.",
        examples=["https://ca.example.org"],
    )
    connect: str = Field(
        "",
        max_length=300,
        description="`HOST:PORT` to connect to instead of the URL's, as curl's --connect-to; the name that is asked "
        "for and that the certificate must have stays the URL's. Empty: the URL's own.",
        examples=["127.0.0.1:9443"],
    )
    patience: int = Field(
        0, ge=0, le=600, description="Seconds for which a server that is not there yet is tried again.", examples=[90]
    )

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        place_of(url, "")
        return url

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        place_of(self.url, self.connect)
        return self

    @property
    def reached(self) -> tuple[str, ...]:
        """For `plan`."""
        return (f"  reached at {self.connect}",) if self.connect else ()


class ServerParams(PlaceParams):
    """The same, and why it is believed."""

    trust: str = Field(
        "",
        max_length=4096,
        description="A file with the only root, or roots, that the server's certificate may lead to (PEM or DER); "
        "relative to the runbook's folder. Empty: the roots that this machine trusts.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )

    @property
    def shown(self) -> tuple[str, ...]:
        """For `plan`."""
        return (*self.reached, f"  trusting {self.trust or 'the roots of this machine'}")


class ProvisionerParams(ServerParams):
    """The same, and as which of its provisioners something is asked for."""

    provisioner: Line = Field(description="The name of a provisioner of the type JWK.", examples=["admin"])
    ask: Line = Field(
        "Password of the provisioner",
        description="The question put to the operator, who types it unseen.",
        examples=["Password of the provisioner admin"],
    )


async def client_of(params: ServerParams, ctx: Context) -> Client:
    """Raises FileProblem and WrongArtefact for the file with the roots."""
    return client_with(params, await trust_of(params.trust, ctx), ctx)


def client_with(params: PlaceParams, trust: Trust, ctx: Context) -> Client:
    """A client that believes who `trust` says."""
    from checks.ca.client import Client

    return Client(
        params.url,
        connect=params.connect,
        trust=trust,
        seconds=lambda: min(SECONDS, time_left(ctx)),
        patience=min(params.patience, time_left(ctx)),
    )
