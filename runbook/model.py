"""The runbook as frozen models (design §6). `loader` builds them from YAML; nothing here reads a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

SCHEMA_VERSION = 1

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A name that `{{ }}` may insert: letters, digits, underscore."""

STEP_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
StepId = Annotated[str, Field(pattern=STEP_ID_PATTERN)]
"""An identifier of a stage or step, for example `A` or `A3.sign`."""

Line = Annotated[str, Field(min_length=1, max_length=2000)]


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"`{text}` is no regular expression: {error.msg}{at}") from None
    return text


RegularExpression = Annotated[Line, AfterValidator(_regular_expression)]
"""As Python's `re` reads it."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


OneOrMore = BeforeValidator(_several, json_schema_input_type=str | list[str])
"""Marks a tuple of texts: a single one may stand there by itself."""


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)


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


class Role(StrEnum):
    """What kind of step it is (design: words)."""

    CHECK = "check"
    ACTION = "action"
    ATTESTATION = "attest"


class TryCommand(Model):
    """A command that a hint proposes; it is shown, never run by itself."""

    run: tuple[Line, ...] = Field(min_length=1, description="The argument list.")
    on: str = Field("", description="The host of the site profile to run it on; empty: here.")
    sudo: bool = False


class Hint(Model):
    """A row of the what-if table: a symptom, its likely cause, what to do."""

    when: tuple[Line, ...] = Field(
        (), description="Symptoms of the step's kind (`runbook checks KIND` lists them); none: whenever it fails."
    )
    likely: Line = Field(description="The likely cause.")
    try_: Line | TryCommand | tuple[Line | TryCommand, ...] = Field(
        (), alias="try", description="What to do: text, a command, or a list of both."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_symptom(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(data.get("when"), str):
            return {**data, "when": (data["when"],)}
        return data

    @property
    def actions(self) -> tuple[str | TryCommand, ...]:
        return self.try_ if isinstance(self.try_, tuple) else (self.try_,)


class Gate(Model):
    """What must hold before a step, beyond the facts it requires."""

    after: tuple[StepId, ...] = Field((), description="Stages or steps that must be green.")
    confirm: Line | None = Field(None, description="A question to be answered with yes; the focus is on no.")
    phrase: Line | None = Field(
        None, description="A phrase to be typed; `{{ }}` may insert inputs and the step's keys."
    )
    two_person: bool = Field(False, description="A second person must approve with their own key.")


class Probe(Model):
    """A read-only check that answers: is the action done already?"""

    check: Line
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        return _fold_params(data, {"check"})


class WayBack(Model):
    """Part of a way back that the program walks: an action of a kind, with a title of its own.

    As in a step, the kind's own keys stand beside these in the file.
    """

    action: Line = Field(description="The name of the action that undoes.")
    title: Line = Field(description="What it does, for the operator.")
    probe: Probe | None = Field(None, description="A check that is green once it is undone.")
    deadline: float = Field(60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.")
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "action" not in data:
            forms = "`action: KIND`, `check: KIND`, `stays: TEXT` and `undone_by: STEP`"
            raise ValueError(f"a way back is text, or one of {forms}")
        return _fold_params(data, WAY_KEYS)


WAY_KEYS = frozenset({"action", "title", "probe", "deadline"})
"""The keys of a way back that are not its kind's own."""


class Afterwards(Model):
    """What must be so on the way back, once what stands before it is done."""

    check: Line = Field(description="The name of the check.")
    title: Line = Field(description="What is so then, for the operator.")
    deadline: float = Field(60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.")
    params: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        return _fold_params(data, AFTERWARDS_KEYS)


AFTERWARDS_KEYS = frozenset({"check", "title", "deadline"})
"""The keys of such a check that are not its kind's own."""


class Stays(Model):
    """What no way back brings back."""

    stays: Line = Field(description="What stays as it is, and why.")


class UndoneBy(Model):
    """The way back of an earlier step undoes this one too."""

    undone_by: StepId = Field(description="An earlier step whose way back takes this one along.")


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


class Step(Model):
    """One check, action or attestation.

    In the file the kind's own keys stand beside the common ones (`check: slots`, `expect: {…}`); here they are in
    `params`, still with their `{{ }}`, to be read by the kind's own model.
    """

    id: StepId
    title: Line
    goal: str = Field("", description="Why the step is there, for the operator.")
    role: Role
    kind: Line = Field(description="The name of the check or action.")
    params: Mapping[str, Any] = Field(default_factory=dict)
    requires: tuple[Name, ...] = Field((), description="Facts that must be established before.")
    establishes: tuple[Name, ...] = Field((), description="Facts that are true once the step is green.")
    gate: Gate = Gate()
    irreversible: bool = Field(False, description="It cannot be undone: gate, probe and backout are due.")
    probe: Probe | None = None
    backout: tuple[Backout, ...] = Field(
        (),
        description="How to go back, in order: text for a person to do, an action, or a check of what is so then. "
        "`stays`: what cannot be undone. `undone_by`: an earlier step whose way back takes this one along.",
    )
    hints: tuple[Hint, ...] = ()
    deadline: float = Field(60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.")

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "kind" in data:
            return data
        roles = [role for role in Role if role.value in data]
        if len(roles) != 1:
            raise ValueError("a step is one of `check: KIND`, `action: KIND` or `attest: STATEMENTS`")
        role = roles[0]
        folded = _fold_params(data, COMMON_KEYS | {role.value})
        value = folded.pop(role.value)
        if role is Role.ATTESTATION:
            statements = (value,) if isinstance(value, str) else value
            return {**folded, "role": role, "kind": "attest", "params": {**folded["params"], "statements": statements}}
        return {**folded, "role": role, "kind": value}

    @property
    def ways_back(self) -> tuple[str, ...]:
        """The way back in words, a line each."""
        return tuple(_way(entry) for entry in self.backout)


def _way(entry: str | WayBack | Afterwards | Stays | UndoneBy) -> str:
    match entry:
        case WayBack() | Afterwards():
            return entry.title
        case Stays():
            return f"Stays: {entry.stays}"
        case UndoneBy():
            return f"The way back of {entry.undone_by} undoes it too"
        case _:
            return entry


COMMON_KEYS = frozenset(
    {"id", "title", "goal", "requires", "establishes", "gate", "irreversible", "probe", "backout", "hints", "deadline"}
)
"""The keys of a step that are not its kind's own."""


def _fold_params(data: Any, known: frozenset[str] | set[str]) -> Any:
    if not isinstance(data, Mapping) or "params" in data:
        return data
    own = {key: value for key, value in data.items() if key not in known}
    return {**{key: value for key, value in data.items() if key in known}, "params": own}


class Window(Model):
    """A time window: the operator gives it when the stage begins, and outside it no step of the stage starts."""

    ask: Line = Field(description="The question put to the operator, for example `Downtime window`.")


class Stage(Model):
    """A group of steps that ends in a decision."""

    id: StepId
    title: Line
    goal: str = ""
    window: Window | None = Field(None, description="The stage's steps start only within a time window.")
    steps: tuple[Step, ...] = Field(min_length=1)

    @property
    def window_question(self) -> str:
        """As it is put to the operator: an answers file finds the stage by it."""
        return f"{self.window.ask} (stage {self.id})" if self.window else ""


class Runbook(Model):
    """A procedure: the same bytes in rehearsal and in production."""

    runbook: Literal[1] = Field(description="The version of this format.")
    id: StepId
    title: Line
    description: str = ""
    roles: tuple[Name, ...] = Field(("driver",), min_length=1)
    inputs: Mapping[Name, Input] = Field(default_factory=dict)
    facts: Mapping[Name, Line] = Field(default_factory=dict)
    stages: tuple[Stage, ...] = Field(min_length=1)

    def steps(self) -> Iterator[tuple[Stage, Step]]:
        """Every step with its stage, in order."""
        for stage in self.stages:
            for step in stage.steps:
                yield stage, step

    def step(self, step_id: str) -> Step:
        """The step of that id; raises KeyError."""
        for _, step in self.steps():
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def stage_of(self, step_id: str) -> Stage:
        """The stage of the step of that id; raises KeyError."""
        for stage, step in self.steps():
            if step.id == step_id:
                return stage
        raise KeyError(step_id)
