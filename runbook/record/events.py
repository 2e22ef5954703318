"""What happens in a run, as frozen events: the journal writes them first, then screens and console show them.

Fields annotated with a `Level` carry that confidentiality in the journal; all others are internal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from runbook.event import Event, Level
from runbook.outcome import Evidence, Outcome
from runbook.ran import CommandRan
from runbook.record.gate_events import (
    ApprovalAsked,
    ApprovalGiven,
    ApprovalRefused,
    PeopleNamed,
    WindowSet,
    WitnessJoined,
)
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.touched import Touched


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The header of a run."""

    type: ClassVar[str] = "run.started"
    run_id: str
    runbook_id: Annotated[str, Level.PUBLIC]
    runbook_title: Annotated[str, Level.PUBLIC]
    runbook_sha256: Annotated[str, Level.PUBLIC]
    """Hex digest of the runbook file's bytes."""
    site: str
    site_sha256: str
    program: Annotated[str, Level.PUBLIC]
    """Distribution and version."""
    host: str
    operator: str
    rehearsal: Annotated[bool, Level.PUBLIC]
    stages: tuple[str, ...] = ()
    """Stages selected; empty: all."""
    runbook_path: str = ""
    site_path: str = ""
    """Absolute; where `runbook resume` reads them again. Their bytes at the start are attachments."""
    program_sha256: Annotated[str, Level.PUBLIC] = ""
    """Hex digest over the program's own files (`version.program_sha256`)."""
    versions: Annotated[Mapping[str, str], Level.PUBLIC] = field(default_factory=dict)
    """Python and the libraries that matter, by name."""
    driver: str = ""
    """The name under `people` in the site profile of the one who drives; empty where the profile names nobody."""
    rolls_back: str = ""
    """The id of the run whose steps are undone; empty: it is no roll-back."""
    rolls_back_head: Annotated[str, Level.PUBLIC] = ""
    """The last hash of that run's record, 64 hex digits."""
    rollback_sha256: Annotated[str, Level.PUBLIC] = ""
    """Hex digest of what a roll-back walks: the attachment `rollback`."""


@dataclass(frozen=True, slots=True)
class RunResumed(Event):
    """A run goes on after it was left; every step that had begun and not ended is in doubt from here."""

    type: ClassVar[str] = "run.resumed"
    program: Annotated[str, Level.PUBLIC]
    program_sha256: Annotated[str, Level.PUBLIC]
    runbook_sha256: Annotated[str, Level.PUBLIC]
    site_sha256: str
    host: str
    operator: str
    driver: str
    head_typed: str
    """The head as the operator typed it from paper, and it was right; empty: not asked for."""
    cut: int
    """Bytes of a torn last line that were cut off; 0: none."""
    changes: tuple[str, ...] = ()
    """What differs in runbook and site profile since the start, in words; two people agreed to it."""


@dataclass(frozen=True, slots=True)
class InputGiven(Event):
    """An input has a value; of a secret only the fact."""

    type: ClassVar[str] = "input.given"
    name: str
    value: str | None
    source: str
    """`site`, `set`, `answers`, `default`, `typed`, `typed blind`, or `rolled-back run`: as it was in that run."""


@dataclass(frozen=True, slots=True)
class StageStarted(Event):
    """A stage begins."""

    type: ClassVar[str] = "stage.started"
    stage: str


@dataclass(frozen=True, slots=True)
class StageFinished(Event):
    """A stage has ended: all its steps were green, or it was stopped."""

    type: ClassVar[str] = "stage.finished"
    stage: str
    green: bool


@dataclass(frozen=True, slots=True)
class StepBlocked(Event):
    """A step cannot start: something it needs does not hold."""

    type: ClassVar[str] = "step.blocked"
    step: str
    unmet: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepStarted(Event):
    """A step begins; on disk before anything acts."""

    type: ClassVar[str] = "step.started"
    step: str
    attempt: int
    """1 for the first."""
    kind: str
    params: Mapping[str, Any]
    """The step's own keys with the values inserted, redacted."""


@dataclass(frozen=True, slots=True)
class StepFinished(Event):
    """A step has an outcome."""

    type: ClassVar[str] = "step.finished"
    step: str
    attempt: int
    outcome: Outcome
    hints: tuple[str, ...] = ()
    """The hints that matched, as plain lines."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StepSkipped(Event):
    """A step was left out by the operator: a deviation."""

    type: ClassVar[str] = "step.skipped"
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepNotHere(Event):
    """A rehearsal's lab cannot serve the step; it is passed over, and what it establishes is taken for true there."""

    type: ClassVar[str] = "step.not_here"
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepRetried(Event):
    """A step that was not green is tried again: a deviation."""

    type: ClassVar[str] = "step.retried"
    step: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepProbed(Event):
    """What the probe of an action said to: is it done already?"""

    type: ClassVar[str] = "step.probed"
    step: str
    answer: str
    """`done`, `not done`, `partly` or `cannot tell`."""
    outcome: Outcome
    """Of the probe's check."""


@dataclass(frozen=True, slots=True)
class StepSettled(Event):
    """The operator decided what a step that may be done already counts as: a deviation. Its `step.finished` follows."""

    type: ClassVar[str] = "step.settled"
    step: str
    settled_as: str
    """`done`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Attached(Event):
    """A file was stored beside the journal, under the hash of its bytes."""

    type: ClassVar[str] = "attached"
    step: str
    """Empty: it belongs to the run."""
    name: str
    sha256: Annotated[str, Level.PUBLIC]
    """Hex, of the bytes as stored: without any known secret."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class DeviationsAcknowledged(Event):
    """The operator has looked at the list of deviations at the end of a run."""

    type: ClassVar[str] = "deviations.acknowledged"
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class PromptShown(Event):
    """The program waits for a person."""

    type: ClassVar[str] = "prompt.shown"
    step: str
    prompt: str
    """The name of the Operator method."""
    question: str


@dataclass(frozen=True, slots=True)
class PromptAnswered(Event):
    """The person answered; of a secret only the fact."""

    type: ClassVar[str] = "prompt.answered"
    step: str
    prompt: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class PinAttempt(Event):
    """A PIN is about to be sent; on disk before it is."""

    type: ClassVar[str] = "pin.attempt"
    step: str
    token: str
    who: str
    tries_left: int | None


@dataclass(frozen=True, slots=True)
class PinResult(Event):
    """What the token said to the PIN, and the counter as read again."""

    type: ClassVar[str] = "pin.result"
    step: str
    token: str
    accepted: bool | None
    """None: unknown, the answer never came."""
    tries_left: int | None
    who: str = "user PIN"


@dataclass(frozen=True, slots=True)
class GuardOverridden(Event):
    """A refusal that protects a token was overridden: a deviation."""

    type: ClassVar[str] = "guard.overridden"
    step: str
    guard: str
    """What was overridden, for example `final PIN try of ccat-intermediate [DENK0100002]`."""
    reason: str


@dataclass(frozen=True, slots=True)
class TokenNoticed(Event):
    """A token in use came, went or was swapped while nobody asked."""

    type: ClassVar[str] = "token.noticed"
    token: str
    """Its name in the site profile."""
    state: str
    """`removed`, `inserted` or `swapped`."""
    detail: str = ""
    """What is there instead."""


@dataclass(frozen=True, slots=True)
class HostReached(Event):
    """A connection to a host was made."""

    type: ClassVar[str] = "host.reached"
    host: str
    """Its name in the site profile."""
    how: tuple[str, ...]
    """Address, account, transport, the host's key and why it is believed, and what let us in, as lines."""


@dataclass(frozen=True, slots=True)
class FactEstablished(Event):
    """Something is now true."""

    type: ClassVar[str] = "fact.established"
    fact: str
    step: str


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    """Somebody wrote something down."""

    type: ClassVar[str] = "note"
    step: str
    text: str
    by: str = ""
    """Who wrote it, where that was not the operator: a witness."""


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The end of a run."""

    type: ClassVar[str] = "run.finished"
    state: Annotated[str, Level.PUBLIC]
    """`green`, `failed` or `stopped`."""
    reason: str = ""
    over: bool = False
    """It is not green, and yet nothing is left to walk: all that is not green was skipped."""


@dataclass(frozen=True, slots=True)
class StepProgress(Event):
    """A line of live output; shown, not journalled (the evidence holds what counts)."""

    type: ClassVar[str] = "step.progress"
    step: str
    line: str


@dataclass(frozen=True, slots=True)
class StepShown(Event):
    """How far a step is, instead of what was shown so before; not journalled (its outcome has what counts)."""

    type: ClassVar[str] = "step.shown"
    step: str
    evidence: Evidence


JOURNALLED: Mapping[str, type[Event]] = {
    cls.type: cls
    for cls in (
        RunStarted,
        InputGiven,
        StageStarted,
        StageFinished,
        StepBlocked,
        StepStarted,
        Touched,
        CommandRan,
        StepFinished,
        StepSkipped,
        StepNotHere,
        StepRetried,
        PromptShown,
        PromptAnswered,
        PinAttempt,
        PinResult,
        GuardOverridden,
        TokenNoticed,
        HostReached,
        FactEstablished,
        NoteAdded,
        ShellOpened,
        ShellEnded,
        RunFinished,
        RunResumed,
        StepProbed,
        StepSettled,
        Attached,
        DeviationsAcknowledged,
        WindowSet,
        PeopleNamed,
        WitnessJoined,
        ApprovalAsked,
        ApprovalGiven,
        ApprovalRefused,
    )
}
"""Every event the journal holds, by its name."""
