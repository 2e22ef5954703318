"""How to know whether an action is done, and how to go back (design §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from runbook.fields import Line, Model, StepId, fold_params


class Probe(Model):
    """A read-only check that answers: is the action done already?"""

    check: Line = Field(description="The name of the check.", examples=["slots"])
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        return fold_params(data, {"check"})


class WayBack(Model):
    """Part of a way back that the program walks: an action of a kind, with a title of its own.

    As in a step, the kind's own keys stand beside these in the file.
    """

    action: Line = Field(description="The name of the action that undoes.", examples=["docker.volume.restore"])
    title: Line = Field(description="What it does, for the operator.", examples=["Restore the snapshot"])
    probe: Probe | None = Field(
        None,
        description="A check that is green once it is undone.",
        examples=[{"check": "docker.volume", "engine": "ca", "volume": "ccat-ca_step-ca-data"}],
    )
    deadline: float = Field(
        60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.", examples=[300]
    )
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "action" not in data:
            forms = "`action: KIND`, `check: KIND`, `stays: TEXT` and `undone_by: STEP`"
            raise ValueError(f"a way back is text, or one of {forms}")
        return fold_params(data, WAY_KEYS)


WAY_KEYS = frozenset({"action", "title", "probe", "deadline"})
"""The keys of a way back that are not its kind's own."""


class Afterwards(Model):
    """What must be so on the way back, once what stands before it is done."""

    check: Line = Field(description="The name of the check.", examples=["docker.container"])
    title: Line = Field(description="What is so then, for the operator.", examples=["The CA answers as before"])
    deadline: float = Field(
        60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.", examples=[120]
    )
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        return fold_params(data, AFTERWARDS_KEYS)


AFTERWARDS_KEYS = frozenset({"check", "title", "deadline"})
"""The keys of such a check that are not its kind's own."""


class Stays(Model):
    """What no way back brings back."""

    stays: Line = Field(description="What stays as it is, and why.", examples=["The PIN attempts that were made"])


class UndoneBy(Model):
    """The way back of an earlier step undoes this one too."""

    undone_by: StepId = Field(description="An earlier step whose way back takes this one along.", examples=["G3.wipe"])


def _form(entry: Any) -> str:
    """Which form of a way back is meant."""
    if isinstance(entry, Mapping):
        return next((f"of {key}" for key in ("action", "check", "stays", "undone_by") if key in entry), "of action")
    forms: dict[type[Any], str] = {
        WayBack: "of action",
        Afterwards: "of check",
        Stays: "of stays",
        UndoneBy: "of undone_by",
    }
    return forms.get(type(entry), "of text")


Backout = Annotated[
    Annotated[Line, Tag("of text")]
    | Annotated[WayBack, Tag("of action")]
    | Annotated[Afterwards, Tag("of check")]
    | Annotated[Stays, Tag("of stays")]
    | Annotated[UndoneBy, Tag("of undone_by")],
    Discriminator(_form),
]
"""Text for a person to do, an action, a check, or what is said of the way back."""


def in_words(entry: str | WayBack | Afterwards | Stays | UndoneBy) -> str:
    """As it is told to people."""
    match entry:
        case WayBack() | Afterwards():
            return entry.title
        case Stays():
            return f"Stays: {entry.stays}"
        case UndoneBy():
            return f"The way back of {entry.undone_by} undoes it too"
        case _:
            return entry
