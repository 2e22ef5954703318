"""Answers from a file: what stands in for the operator where nobody is there (`--headless`).

One answer a prompt. A prompt that the file does not answer is left, and the message names the missing key.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from runbook.errors import OperatorStopped, PromptCancelled, UsageError
from runbook.files.problems import did_you_mean
from runbook.model import Line, Model, Name, RegularExpression, Runbook, Stage, StepId
from runbook.operator import (
    Alphabet,
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decided,
    Decision,
    Moment,
    PhraseRequest,
    PinRequest,
    PointOfNoReturnRequest,
    SecretRequest,
    SignsHere,
    TerminalRequest,
    TextRequest,
    TranscribeRequest,
    WitnessRequest,
)
from runbook.people.people import WHO_DRIVES
from runbook.plain.typist import type_answers
from runbook.probing import Answer
from runbook.secrets import MASK, Redactor, Secret
from runbook.typed import without_separators


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
        return self.secret.reveal() if self.secret is not None else (self.type or "").encode()


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
        (), description="Attestations to confirm: `all`, or the ids of the steps."
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
    """Raise UsageError for a step that the runbook does not have.

    It would be noticed late, at its prompt, or never: a skip that does not happen.
    """
    steps = [step.id for _, step in runbook.steps()]
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


class ScriptedOperator:
    """The operator (`runbook.operator.Operator`) that answers from a file, and stops at the first failure."""

    source = "answers"
    """Of the values it gives (`InputGiven.source`)."""

    def __init__(self, answers: Answers, runbook: Runbook) -> None:
        self._answers = answers
        self._runbook = runbook
        self._step = ""
        self._used: set[str] = set()
        self._settled: set[str] = set()
        """Steps in doubt that were decided on: a second doubt is for a person."""

    def teach(self, redactor: Redactor) -> None:
        """Let every PIN of the file be removed from all output."""
        for secret in self._answers.known_secrets():
            redactor.learn(secret)

    async def decide(self, moment: Moment) -> Decided:
        self._step = moment.step_id
        self._used.clear()
        if Decision.DONE in moment.allowed:
            return self._doubt(moment)
        if moment.outcome is not None:
            return Decided(Decision.STOP, f"{moment.step_id} is not green, and the answers say to stop then")
        if reason := self._answers.skip.get(moment.step_id):
            return Decided(Decision.SKIP, reason)
        if moment.opens and self._answers.wait:
            await asyncio.Event().wait()  # the question is taken back when the window opens
        if moment.unmet:
            return Decided(Decision.STOP, f"{moment.step_id} cannot start: {'; '.join(moment.unmet)}")
        return Decided(Decision.RUN)

    def _doubt(self, moment: Moment) -> Decided:
        """What may be done already is taken as done where its probe says so, and run again where it does not."""
        step_id, probed = moment.step_id, moment.probed
        answer = probed.answer if probed else None
        if answer is Answer.DONE:
            key, reason, decision = "done", self._answers.done.get(step_id), Decision.DONE
        else:
            key, reason, decision = "again", self._answers.again.get(step_id), Decision.RETRY
        by_probe = self._answers.in_doubt == "probe" and moment.outcome is not None
        if not reason and by_probe and answer in (Answer.DONE, Answer.NOT_DONE):
            reason = f"its probe says that it is {answer}"
        if reason and answer not in (Answer.DONE, Answer.NOT_DONE) and not _covers(self._answers.phrases, step_id):
            key, reason = f"phrases: [{step_id}]", None
        if reason and decision in moment.allowed and step_id not in self._settled:
            self._settled.add(step_id)
            return Decided(decision, reason)
        said = f"its probe says `{answer}`, {probed.outcome.summary}" if probed else "it has no probe"
        lacking = key if key.startswith("phrases") else f"{key}.{step_id}"
        once_more = " once more" if step_id in self._settled else f"; the answers have no `{lacking}` that decides"
        return Decided(Decision.STOP, f"{step_id} may be done already{once_more}: {said}")

    async def pin(self, request: PinRequest) -> Secret:
        if request.who != "user PIN":
            raise PromptCancelled(
                f"the {request.who} of {request.token} is asked for, and an answers file holds user PINs only",
                remedy="Run this step at a terminal.",
            )
        name = self._token_of_step()
        names = [key for key in (name, request.token) if key in self._answers.pins]
        if not names:
            raise self._missing(f"pins.{name or request.token}", f"the {request.who} of {request.token}")
        self._once(f"pin of {request.token}", "its PIN was sent once; it is never sent again by itself")
        return Secret(self._answers.pins[names[0]].reveal())

    async def secret(self, request: SecretRequest) -> Secret:
        if self._step not in self._answers.secrets:
            raise self._missing(f"secrets.{self._step}", request.question)
        self._once(f"secret of {self._step}", "its secret was given once; it is never sent again by itself")
        return Secret(self._answers.secrets[self._step].reveal())

    async def confirm(self, request: ConfirmRequest) -> bool:
        answers = self._answers.confirm
        if answers == "none":
            return False
        if self._step not in answers:
            raise self._missing(f"confirm.{self._step}", request.question)
        return answers[self._step]

    async def choose(self, request: ChoiceRequest) -> str:
        named = self._answers.driver if request.question == WHO_DRIVES else ""
        answer = named or self._input(request.question)
        keys = [key for key, _ in request.choices]
        if answer not in keys:
            raise OperatorStopped(f"the answer to `{request.question}` is not one of {', '.join(keys)}")
        return answer

    async def type_phrase(self, request: PhraseRequest) -> bool:
        if not _covers(self._answers.phrases, self._step):
            raise self._missing(f"phrases: [{self._step}]", request.question)
        return True

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        said = not request.question or await self.confirm(ConfirmRequest(request.question))
        return said and (not request.phrase or await self.type_phrase(PhraseRequest(request.title, request.phrase)))

    async def witness(self, request: WitnessRequest) -> SignsHere:
        if not self._answers.witness:  # a witness may follow, and answer in a session of their own until it is too late
            await asyncio.Event().wait()
        for name in request.witnesses:
            if name in self._answers.witness:
                self._once(f"approval of {request.step_id}", request.problem or "it was given once")
                return SignsHere(name, self._answers.witness[name])
        raise self._missing(f"witness.{request.witnesses[0] if request.witnesses else '…'}", request.title)

    async def transcribe(self, request: TranscribeRequest) -> str:
        answer = self._input(request.question, request.help)
        return answer if request.alphabet is Alphabet.TEXT else without_separators(request.alphabet, answer)

    async def text(self, request: TextRequest) -> str:
        for stage in self._runbook.stages:
            if stage.window is not None and stage.window_question == request.question:
                return self._window(stage, request.help)
        return self._input(request.question, request.help)

    def _window(self, stage: Stage, note: str) -> str:
        if stage.id not in self._answers.windows:
            raise self._missing(f"windows.{stage.id}", stage.window_question)
        self._once(f"window {stage.id}", f"the answer `windows.{stage.id}` cannot be used: {note}")
        return self._answers.windows[stage.id]

    async def compare(self, request: CompareRequest) -> bool:
        raise PromptCancelled(
            f"`{request.question}` is for eyes; no file can answer it", remedy="Run this step at a terminal."
        )

    async def attest(self, request: AttestRequest) -> Attested:
        listed = self._answers.attest
        if request.of_run and listed != "all":
            raise self._missing("attest: all", request.title)
        if not _covers(listed, self._step):
            raise self._missing(f"attest: [{self._step}]", request.title)
        return Attested(tuple(True for _ in request.statements), "from the answers file")

    async def terminal(self, request: TerminalRequest) -> int:
        if self._step not in self._answers.typed:
            raise self._missing(f"typed.{self._step}", f"{request.argv[0]} needs a terminal")
        return await type_answers(request, self._answers.typed[self._step])

    def _input(self, question: str, note: str = "") -> str:
        """The answer for the input that asks this question, once."""
        name = next((name for name, declared in self._runbook.inputs.items() if declared.ask == question), "")
        answer = self._answers.inputs.get(name) or getattr(self._runbook.inputs.get(name), "default", None)
        if answer is None:
            raise self._missing(f"inputs.{name or '…'}", question)
        self._once(f"input {name}", f"the answer `inputs.{name}` cannot be used: {note}".rstrip(": "))
        return str(answer)

    def _token_of_step(self) -> str:
        """The site profile's name of the token that the step at hand uses."""
        steps = (step for _, step in self._runbook.steps() if step.id == self._step)
        token = next((step.params.get("token") for step in steps), None)
        return token if isinstance(token, str) else ""

    def _once(self, what: str, otherwise: str) -> None:
        if what in self._used:
            raise PromptCancelled(otherwise, remedy="Correct the answers file, then start a new run.")
        self._used.add(what)

    def _missing(self, key: str, question: str) -> PromptCancelled:
        return PromptCancelled(
            f"the answers have no `{key}` ({question})",
            where=self._step,
            remedy=f"Add `{key}` to the answers file (--answers), or run it at a terminal.",
        )


def _covers(listed: str | Iterable[str], step_id: str) -> bool:
    return listed == "all" or step_id in listed
