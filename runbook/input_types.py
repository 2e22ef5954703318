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
    ask: Line = Field(description="The question put to the operator.")
    source: Source = Field(
        Source.OPERATOR,
        description="`operator`: typed, or given by the site, --set or answers. `paper`: typed blind from paper, never "
        "given by the site profile or --set. `site`: the site profile must give it.",
    )
    help: str = Field("", description="More about the value: where it is found, how it looks.")


class StringInput(_Input):
    """A line of text."""

    type: Literal["string"]
    pattern: str = Field(
        "",
        description="A regular expression that the whole value must match; one that the empty text matches too lets "
        "the value be empty.",
    )
    default: str | None = None


class IntegerInput(_Input):
    """A whole number."""

    type: Literal["integer"]
    minimum: int | None = None
    maximum: int | None = None
    default: int | None = None


class PathInput(_Input):
    """An existing directory or file, or a path that need not exist yet."""

    type: Literal["directory", "file", "path"]
    default: str | None = None


class Sha256Input(_Input):
    """A SHA-256 fingerprint: 64 hex digits; colons, spaces and either case are accepted."""

    type: Literal["sha256"]


class ChoiceInput(_Input):
    """One of a list."""

    type: Literal["choice"]
    choices: tuple[Line, ...] = Field(min_length=2)
    default: str | None = None


class ListInput(_Input):
    """Several short texts, such as names: a list in the site profile, else one text with commas between them."""

    type: Literal["list"]
    pattern: str = Field("", description="A regular expression that each item must match as a whole.")
    default: str | None = Field(None, description="With commas between the items.")


class SecretInput(_Input):
    """A value that is asked again each time, never stored, never shown."""

    type: Literal["secret"]


Input = Annotated[
    StringInput | IntegerInput | PathInput | Sha256Input | ChoiceInput | ListInput | SecretInput,
    Field(discriminator="type"),
]
