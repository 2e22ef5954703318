"""The answers file: what it may hold, and that it fits the runbook (`runbook.plain.scripted` answers with it)."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from runbook.errors import UsageError
from runbook.fields import Line, Model, Name, RegularExpression, StepId
from runbook.files.backouts import undoing
from runbook.files.problems import did_you_mean
from runbook.model import Runbook
from runbook.record.runs import ROLLBACK_LIST
from runbook.secrets import MASK, Secret


def _secret(value: Any) -> Secret:
    if not isinstance(value, str) or not value:
        raise ValueError("a PIN is text; put it in quotes")
    return Secret.from_text(value)


Pin = Annotated[
    Secret,
    PlainValidator(_secret),
    PlainSerializer(lambda _: MASK, return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""Text in the file, a Secret from there on."""


class Typed(Model):
    """A line for an interactive command."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    when: RegularExpression = Field(description="A regular expression: the prompt that must be shown before.")
    type: Line | None = Field(None, description="What is typed then.")
    secret: Pin | None = Field(None, description="What is typed then, and never shown or kept.")

    @model_validator(mode="after")
    def _one(self) -> Typed:
        if (self.type is None) == (self.secret is None):
            raise ValueError("give either `type` or `secret`")
        return self

    def keys(self) -> bytes:
        """The line as UTF-8."""
        return bytes(self.secret.reveal()) if self.secret is not None else (self.type or "").encode()


class Answers(Model):
    """The answers file."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: Literal[1] = Field(description="The version of this format.")
    inputs: Mapping[Name, Line] = Field(
        default_factory=dict, description="Values of inputs, also of those that are typed from paper."
    )
    pins: Mapping[Line, Pin] = Field(
        default_factory=dict,
        description="The user PIN of a token, by its name in the site profile. Only for rehearsals and test tokens; "
        "the file must have mode 0600.",
    )
    secrets: Mapping[StepId, Pin] = Field(
        default_factory=dict,
        description="The password or other secret that a step asks for, by the step's id. Only for rehearsals.",
    )
    typed: Mapping[StepId, tuple[Typed, ...]] = Field(
        default_factory=dict,
        description="What is typed at the prompts of a step's interactive command, in order. Only for rehearsals.",
    )
    attest: Literal["all"] | tuple[StepId, ...] = Field(
        (), description="Attestations to confirm, and checklists to answer with yes: `all`, or the ids of the steps."
    )
    confirm: Literal["none"] | Mapping[StepId, bool] = Field(
        default_factory=dict,
        description="The answer to each question a step asks, by the step's id: yes or no. `none`: no to all of them.",
    )
    windows: Mapping[StepId, Line] = Field(
        default_factory=dict,
        description="The time window of a stage, by the stage's id, for example `22:00-23:30` or "
        "`2026-11-21 22:00 to 2026-11-22 01:00`.",
    )
    wait: bool = Field(False, description="Wait for a window that is still to open, instead of stopping.")
    phrases: Literal["all"] | tuple[StepId, ...] = Field(
        (), description="Steps whose phrase is typed: `all`, or their ids."
    )
    driver: str = Field(
        "", description="Who drives, by their name in the site profile, where the account does not tell."
    )
    witness: Mapping[Name, Line] = Field(
        default_factory=dict,
        description="The private key of a second person, by their name in the site profile, without a passphrase. Only "
        "for rehearsals: two people whose keys lie in one file are one.",
    )
    done: Mapping[StepId, Line] = Field(
        default_factory=dict,
        description="Steps to take as done, where the probe says that they are, each with the reason; a deviation.",
    )
    again: Mapping[StepId, Line] = Field(
        default_factory=dict,
        description="Steps in doubt to run again where no probe says that they are done, each with the reason; where "
        "none says that they are not done, `phrases` must name them too.",
    )
    in_doubt: Literal["stop", "probe"] = Field(
        "stop",
        description="What to do with a step that was broken off and may be done already, where neither `done` nor "
        "`again` names it. `probe`: what its probe says, where it is sure; only for rehearsals.",
    )
    skip: Mapping[StepId, Line] = Field(
        default_factory=dict, description="Steps to leave out, each with the reason; a deviation, on the record."
    )
    on_failure: Literal["stop"] = Field("stop", description="What to do after a step that is not green.")

    def known_secrets(self) -> Iterator[Secret]:
        """Every secret the file holds."""
        yield from self.pins.values()
        yield from self.secrets.values()
        yield from (line.secret for lines in self.typed.values() for line in lines if line.secret is not None)


def load_answers(path: Path) -> Answers:
    """Read an answers file; raises UsageError, which never shows a line of it."""
    from runbook.files.loader import load_document

    answers = load_document(path, Answers, private=True).model
    mode = stat.S_IMODE(path.stat().st_mode)
    if any(answers.known_secrets()) and mode & 0o077:
        raise UsageError(
            f"the file holds secrets and others can read it (mode {mode:04o})",
            where=str(path),
            remedy=f"chmod 600 {path}",
        )
    return answers


def require_steps(answers: Answers, runbook: Runbook, path: Path) -> None:
    """Raise UsageError for a step that neither the runbook nor its roll-back has.

    It would be noticed late, at its prompt, or never: a skip that does not happen.
    """
    steps = [step.id for _, step in runbook.steps()]
    steps += [ROLLBACK_LIST, *(way.id for _, step in runbook.steps() for way in undoing(step))]
    for key in ("attest", "confirm", "phrases", "done", "again", "skip", "secrets", "typed"):
        named = getattr(answers, key)
        for step in () if isinstance(named, str) else named:
            if step not in steps:
                remedy = did_you_mean(step, steps) or "`runbook run --dry-run` lists the steps."
                what = f"`{key}` names the step `{step}`, which the runbook does not have"
                raise UsageError(what, where=str(path), remedy=remedy)
    stages = [stage.id for stage in runbook.stages if stage.window is not None]
    for stage in answers.windows:
        if stage not in stages:
            what = f"`windows` names the stage `{stage}`, which the runbook does not have or which has no window"
            raise UsageError(what, where=str(path), remedy=did_you_mean(stage, stages, "Those with one are"))
