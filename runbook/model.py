"""The runbook as frozen models (design §6). `loader` builds them from YAML; nothing here reads a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from runbook.backout import Backout, Probe, in_words
from runbook.fields import Line, Model, Name, Seconds, StepId, fold_params
from runbook.input_types import Input


class Role(StrEnum):
    """What kind of step it is (design: words)."""

    CHECK = "check"
    ACTION = "action"
    ATTESTATION = "attest"


class TryCommand(Model):
    """A command that a hint proposes; it is shown, never run by itself."""

    run: tuple[Line, ...] = Field(
        min_length=1, description="The argument list.", examples=[["udevadm", "control", "--reload-rules"]]
    )
    on: str = Field("", description="The host of the site profile to run it on; empty: here.", examples=["ca"])
    sudo: bool = Field(False, description="Whether it is shown with sudo.")


class Hint(Model):
    """A row of the what-if table: a symptom, its likely cause, what to do."""

    when: tuple[Line, ...] = Field(
        (),
        description="Symptoms of the step's kind (`runbook checks KIND` lists them); none: whenever it fails.",
        examples=["no token", ["no token", "other token"]],
    )
    likely: Line = Field(
        description="The likely cause.", examples=["The dongle is not seated, or the udev rule has not been reloaded"]
    )
    try_: Line | TryCommand | tuple[Line | TryCommand, ...] = Field(
        (),
        alias="try",
        description="What to do: text, a command, or a list of both.",
        examples=[
            "Pull it out and put it in again.",
            {"run": ["udevadm", "control", "--reload-rules"], "on": "ca", "sudo": True},
        ],
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

    after: tuple[StepId, ...] = Field(
        (), description="Stages or steps that must be green.", examples=[["A", "B2.copied"]]
    )
    confirm: Line | None = Field(
        None,
        description="A question to be answered with yes; the focus is on no.",
        examples=["Do all know that the CA is about to stop?"],
    )
    phrase: Line | None = Field(
        None,
        description="A phrase to be typed; `{{ }}` may insert inputs and the step's keys.",
        examples=["WIPE {{ volume }}"],
    )
    two_person: bool = Field(False, description="A second person must approve with their own key.")


class Step(Model):
    """One check, action or attestation.

    In the file the kind's own keys stand beside the common ones (`check: slots`, `expect: {…}`); here they are in
    `params`, still with their `{{ }}`, to be read by the kind's own model.
    """

    id: StepId = Field(description="A short name that no other stage or step has.", examples=["A1.slots"])
    title: Line = Field(
        description="What is so once it is green, in a line.", examples=["Exactly one token, and it is ours"]
    )
    goal: str = Field(
        "",
        description="Why the step is there, for the operator.",
        examples=["The host sees the dongle, and it is the one that left the ceremony."],
    )
    role: Role
    kind: Line = Field(description="The name of the check or action.")
    params: Mapping[str, Any] = Field(default_factory=dict)
    requires: tuple[Name, ...] = Field(
        (), description="Facts that must be established before.", examples=[["hsm2_in_port"]]
    )
    establishes: tuple[Name, ...] = Field(
        (), description="Facts that are true once the step is green.", examples=[["token_is_ours"]]
    )
    gate: Gate = Field(
        Gate(),
        description="What must hold before it, beyond the facts it requires.",
        examples=[{"after": ["A"], "phrase": "WIPE {{ volume }}"}],
    )
    irreversible: bool = Field(False, description="It cannot be undone: gate, probe and backout are due.")
    probe: Probe | None = Field(
        None,
        description="A check that is green where the action is done already.",
        examples=[
            {"check": "docker.volume", "engine": "ca", "volume": "ccat-ca_step-ca-data", "expect": {"empty": True}}
        ],
    )
    backout: tuple[Backout, ...] = Field(
        (),
        description="How to go back, in order: text for a person to do, an action, or a check of what is so then. "
        "`stays`: what cannot be undone. `undone_by`: an earlier step whose way back takes this one along.",
        examples=[["Plug the old dongle in again", {"undone_by": "G3.wipe"}]],
    )
    hints: tuple[Hint, ...] = Field(
        (),
        description="What to do where it is not green.",
        examples=[
            [{"when": "no token", "likely": "The dongle is not seated", "try": "Pull it out and put it in again."}]
        ],
    )
    deadline: float = Field(
        60.0, gt=0, le=86_400, description="Seconds it may take, without the time people need.", examples=[120]
    )
    takes: Seconds | None = Field(
        None,
        gt=0,
        le=604_800,
        description="How long it usually takes, with the time people need: seconds, or for example `30s`, `2m`, `1h`. "
        "It is shown beside the time that has passed; without it, what earlier runs took is shown.",
        examples=["30s", "2m", 5],
    )

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
    {
        *("id", "title", "goal", "requires", "establishes", "gate", "irreversible", "probe", "backout", "hints"),
        *("deadline", "takes"),
    }
)
"""The keys of a step that are not its kind's own."""


class Window(Model):
    """A time window: the operator gives it when the stage begins, and outside it no step of the stage starts."""

    ask: Line = Field(
        description="The question put to the operator, for example `Downtime window`.", examples=["Downtime window"]
    )


_STEP: Mapping[str, Any] = {
    "id": "A1.slots",
    "title": "Exactly one token, and it is ours",
    "check": "slots",
    "token": "intermediate",
}


class Stage(Model):
    """A group of steps that ends in a decision."""

    id: StepId = Field(description="A short name that no other stage or step has.", examples=["A"])
    title: Line = Field(description="What it comes to, in a line.", examples=["HSM #2 works"])
    goal: str = Field(
        "", description="Why it is there, for the operator.", examples=["The token is ours, and it signs."]
    )
    window: Window | None = Field(
        None, description="The stage's steps start only within a time window.", examples=[{"ask": "Downtime window"}]
    )
    steps: tuple[Step, ...] = Field(min_length=1, description="Its steps, in order.", examples=[[_STEP]])

    @property
    def window_question(self) -> str:
        """As it is put to the operator: an answers file finds the stage by it."""
        return f"{self.window.ask} (stage {self.id})" if self.window else ""


class Runbook(Model):
    """A procedure: the same bytes in rehearsal and in production."""

    runbook: Literal[1] = Field(description="The version of this format.")
    id: StepId = Field(description="The name by which runs of it are kept.", examples=["hsm-cutover"])
    title: Line = Field(description="What it does, in a line.", examples=["CA cutover to the hardware intermediate"])
    description: str = Field(
        "",
        description="What it is for, and what it takes.",
        examples=["Proves that the HSM is the one of the ceremony, then puts it in charge."],
    )
    roles: tuple[Name, ...] = Field(
        ("driver",),
        min_length=1,
        description="Who takes part: `driver`, and `witness` where two people must agree.",
        examples=[["driver", "witness"]],
    )
    inputs: Mapping[Name, Input] = Field(
        default_factory=dict,
        description="What it asks for, by name; `{{ NAME }}` inserts the value.",
        examples=[{"export_usb": {"type": "directory", "ask": "Where is the export mounted?"}}],
    )
    facts: Mapping[Name, Line] = Field(
        default_factory=dict,
        description="What is true in the room: steps establish facts and require them.",
        examples=[{"hsm2_in_port": "HSM #2 sits in the internal USB port"}],
    )
    stages: tuple[Stage, ...] = Field(
        min_length=1,
        description="Its parts, in order.",
        examples=[[{"id": "A", "title": "HSM #2 works", "steps": [_STEP]}]],
    )

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
