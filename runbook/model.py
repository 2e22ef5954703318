"""The runbook as frozen models (design §6). `loader` builds them from YAML; nothing here reads a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from runbook.backout import Backout, Probe, in_words
from runbook.fields import Line, Model, Name, StepId, fold_params
from runbook.input_types import Input


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
        folded = fold_params(data, COMMON_KEYS | {role.value})
        value = folded.pop(role.value)
        if role is Role.ATTESTATION:
            statements = (value,) if isinstance(value, str) else value
            return {**folded, "role": role, "kind": "attest", "params": {**folded["params"], "statements": statements}}
        return {**folded, "role": role, "kind": value}

    @property
    def ways_back(self) -> tuple[str, ...]:
        """The way back in words, a line each."""
        return tuple(in_words(entry) for entry in self.backout)


COMMON_KEYS = frozenset(
    {"id", "title", "goal", "requires", "establishes", "gate", "irreversible", "probe", "backout", "hints", "deadline"}
)
"""The keys of a step that are not its kind's own."""


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
