"""The parameters of every kind of step that asks a server, and the client that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from checks.ca.place import SECONDS, place_of
from checks.ca.trust import trust_of
from checks.time_left import time_left
from runbook.context import Context
from runbook.kind import Params

if TYPE_CHECKING:
    from checks.ca.client import Client


class ServerParams(Params):
    """Which server, where it is, and why it is believed."""

    url: str = Field(
        min_length=1,
        max_length=2000,
        description="As its clients write it: `https://NAME`, with a port where it needs one.",
    )
    connect: str = Field(
        "",
        max_length=300,
        description="`HOST:PORT` to connect to instead of the URL's, as curl's --connect-to; the name that is asked "
        "for and that the certificate must have stays the URL's. Empty: the URL's own.",
    )
    trust: str = Field(
        "",
        max_length=4096,
        description="A file with the only root, or roots, that the server's certificate may lead to (PEM or DER); "
        "relative to the runbook's folder. Empty: the roots that this machine trusts.",
    )
    patience: int = Field(
        0, ge=0, le=600, description="Seconds for which a server that is not there yet is tried again."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, url: str) -> str:
        place_of(url, "")
        return url

    @model_validator(mode="after")
    def _reachable(self) -> ServerParams:
        place_of(self.url, self.connect)
        return self

    @property
    def shown(self) -> tuple[str, ...]:
        """For `plan`."""
        reached = (f"  reached at {self.connect}",) if self.connect else ()
        return (*reached, f"  trusting {self.trust or 'the roots of this machine'}")


async def client_of(params: ServerParams, ctx: Context) -> Client:
    """Raises FileProblem and WrongArtefact for the file with the roots."""
    from checks.ca.client import Client

    trust = await trust_of(params.trust, ctx)
    return Client(
        params.url,
        connect=params.connect,
        trust=trust,
        seconds=lambda: min(SECONDS, time_left(ctx)),
        patience=min(params.patience, time_left(ctx)),
    )
