"""The types of inputs: what a runbook asks for (design §6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from runbook.fields import Line, Model


class Source(StrEnum):
    """Where an input's value may come from."""

    OPERATOR = "operator"
    PAPER = "paper"
    SITE = "site"


class _Input(Model):
    ask: Line = Field(description="The question put to the operator.", examples=["Where is the export mounted?"])
    source: Source = Field(
        Source.OPERATOR,
        description="`operator`: typed, or given by the site, --set or answers. `paper`: typed blind from paper, never "
        "given by the site profile or --set. `site`: the site profile must give it.",
    )
    help: str = Field(
        "",
        description="More about the value: where it is found, how it looks.",
        examples=["The folder with root_ca.crt and FINGERPRINT.txt."],
    )


class StringInput(_Input):
    """A line of text."""

    type: Literal["string"] = Field(description="A line of text.")
    pattern: str = Field(
        "",
        description="A regular expression that the whole value must match; one that the empty text matches too lets "
        "the value be empty.",
        examples=["DENK[0-9]{7}"],
    )
    default: str | None = Field(None, description="The value where nothing else is given.", examples=["ccat"])


class IntegerInput(_Input):
    """A whole number."""

    type: Literal["integer"] = Field(description="A whole number.")
    minimum: int | None = Field(None, description="The smallest that is taken.", examples=[1])
    maximum: int | None = Field(None, description="The largest that is taken.", examples=[10])
    default: int | None = Field(None, description="The value where nothing else is given.", examples=[3])


class PathInput(_Input):
    """An existing directory or file, or a path that need not exist yet."""

    type: Literal["directory", "file", "path"] = Field(
        description="`directory` and `file` must exist; a `path` need not yet."
    )
    default: str | None = Field(None, description="The value where nothing else is given.", examples=["/media/export"])


class Sha256Input(_Input):
    """A SHA-256 fingerprint: 64 hex digits; colons, spaces and either case are accepted."""

    type: Literal["sha256"] = Field(description="64 hex digits; colons, spaces and either case are accepted.")


class ChoiceInput(_Input):
    """One of a list."""

    type: Literal["choice"] = Field(description="One of a list.")
    choices: tuple[Line, ...] = Field(
        min_length=2, description="What there is to choose from.", examples=[["staging", "production"]]
    )
    default: str | None = Field(None, description="The value where nothing else is given.", examples=["staging"])


class ListInput(_Input):
    """Several short texts, such as names: a list in the site profile, else one text with commas between them."""

    type: Literal["list"] = Field(description="Several short texts, such as names.")
    pattern: str = Field(
        "", description="A regular expression that each item must match as a whole.", examples=["[A-Za-z .-]+"]
    )
    default: str | None = Field(None, description="With commas between the items.", examples=["Anna, Ben"])


class SecretInput(_Input):
    """A value that is asked again each time, never stored, never shown."""

    type: Literal["secret"] = Field(description="Asked for again each time, never stored, never shown.")


Input = Annotated[
    StringInput | IntegerInput | PathInput | Sha256Input | ChoiceInput | ListInput | SecretInput,
    Field(discriminator="type"),
]
