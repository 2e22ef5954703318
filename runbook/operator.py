"""What may be asked of a person (design §4): one protocol, implemented by the screens, the console and a script.

Each prompt returns a typed value. Leaving a prompt raises `PromptCancelled`; ending the run raises
`OperatorStopped`. A request holds public text only, already cleaned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from runbook.outcome import Outcome
from runbook.probing import Probed
from runbook.secrets import Secret
from runbook.ticking import Checklisted, ChecklistRequest


@dataclass(frozen=True, slots=True)
class PinRequest:
    """Ask for a PIN, once, for one attempt."""

    token: str
    """Label and serial of the token, as a person knows it."""
    who: str
    """Whose PIN: `user PIN` or `SO-PIN`."""
    purpose: str
    tries_left: int | None
    """Attempts left before the card locks; None where the token does not say."""
    tries_max: int | None
    flags: tuple[str, ...]
    """The token's PIN flags by name, for example `CKF_USER_PIN_COUNT_LOW`."""
    min_length: int
    max_length: int
    """Limits of the token in bytes; a PIN outside them is not sent."""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """Ask for a password or another secret value."""

    question: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmRequest:
    """A yes or no; no is the safe answer and has the focus."""

    question: str
    detail: tuple[str, ...] = ()
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceRequest:
    """One of several named answers; the first is the safe one."""

    question: str
    choices: tuple[tuple[str, str], ...]
    """Pairs of key and description."""


@dataclass(frozen=True, slots=True)
class PhraseRequest:
    """A phrase to be typed letter by letter before something that matters."""

    question: str
    phrase: str
    detail: tuple[str, ...] = ()


class Alphabet(StrEnum):
    """What a transcribed value is made of."""

    HEX = "hex"
    BASE64 = "base64"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """A value to be typed from paper without seeing what the computer holds."""

    question: str
    alphabet: Alphabet
    length: int | None = None
    """Characters of the value itself, without separators; None where it is not fixed."""
    group: int = 4
    """Characters a group, to follow the place on paper."""
    pattern: str = ""
    """A regular expression that the whole value must match; empty: none."""
    help: str = ""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """A line of text such as a path."""

    question: str
    default: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Two values to be compared by eye; the answer is whether they are the same."""

    question: str
    left_title: str
    left: str
    right_title: str
    right: str


@dataclass(frozen=True, slots=True)
class AttestRequest:
    """Statements that a person says are so, each on its own."""

    title: str
    statements: tuple[str, ...]
    of_run: bool = False
    """It is about the whole run, not the step at hand."""


@dataclass(frozen=True, slots=True)
class Attested:
    """The answer to an attestation."""

    confirmed: tuple[bool, ...]
    """One for each statement, in order."""
    note: str = ""


class Decision(StrEnum):
    """What the operator does with the step at hand."""

    RUN = "run"
    RETRY = "retry"
    DONE = "done"
    """Take a step as done: one in doubt, or one whose probe says that it is done already."""
    WINDOW = "window"
    """Give the stage's time window, or change it."""
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Moment:
    """A place where the operator decides: before a step, or after one that is not green."""

    step_id: str
    title: str
    unmet: tuple[str, ...] = ()
    """What the step waits for, in words; a step with unmet conditions cannot be run."""
    outcome: Outcome | None = None
    """Set after a step that is not green."""
    hints: tuple[str, ...] = ()
    """The hints that match, as plain lines."""
    probed: Probed | None = None
    """What the probe said, where the step is an action in doubt, or one that seems to be done before it was run."""
    opens: str = ""
    """When the stage's window opens, RFC 3339, where nothing else is missing: to wait is to leave the question."""
    allowed: tuple[Decision, ...] = (Decision.RUN, Decision.SKIP, Decision.STOP)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision and its reason.

    It is due for a skip, a step taken as done, an action in doubt that is run again, and a window that is changed.
    """

    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold, and whether it does."""

    text: str
    holds: bool


@dataclass(frozen=True, slots=True)
class PointOfNoReturnRequest:
    """Before what cannot be undone: everything that a person must know, then a yes and a typed phrase."""

    step_id: str
    title: str
    commands: tuple[str, ...]
    """What will be done, exactly, with the values inserted."""
    conditions: tuple[Condition, ...]
    probed: Probed | None
    backout: tuple[str, ...]
    question: str = ""
    """To be answered with yes; empty: none."""
    phrase: str = ""
    """To be typed letter by letter, never pasted; empty: none."""


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """A second person is to approve: in a session of their own, or here with their own key."""

    step_id: str
    title: str
    what: tuple[str, ...]
    """What they approve, exactly."""
    code: str
    """The start of the digest of what they sign, for both screens to show."""
    witnesses: tuple[str, ...]
    """Who may approve, by their names in the site profile."""
    until: str
    """When the question ends, RFC 3339 in UTC."""
    problem: str = ""
    """Why the last answer was not accepted."""


@dataclass(frozen=True, slots=True)
class SignsHere:
    """The witness signs at the driver's keyboard."""

    witness: str
    """Their name in the site profile."""
    key: str
    """Path of their private key, or of a public key whose private part is in an agent or a FIDO2 device."""


@dataclass(frozen=True, slots=True)
class TerminalRequest:
    """An interactive command that needs the whole terminal."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables set beside ours."""
    withheld: frozenset[str] = frozenset()
    """Names of variables of ours that it does not get."""
    announced: tuple[str, ...] = ()
    """Lines that stand on the terminal before it begins."""


class Operator(Protocol):
    """The person at the keyboard, or what stands in for one."""

    async def decide(self, moment: Moment) -> Decided:
        """Cancelled from outside when a time window opens or closes: the question is then asked anew."""
        ...

    async def pin(self, request: PinRequest) -> Secret: ...
    async def secret(self, request: SecretRequest) -> Secret: ...
    async def confirm(self, request: ConfirmRequest) -> bool: ...
    async def choose(self, request: ChoiceRequest) -> str: ...
    async def type_phrase(self, request: PhraseRequest) -> bool:
        """True when the phrase was typed exactly."""
        ...

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        """True when the way is free: yes said and the phrase typed exactly. The safe choice has the focus."""
        ...

    async def witness(self, request: WitnessRequest) -> SignsHere:
        """Only returns when the witness signs here; cancelled from outside once they answered elsewhere."""
        ...

    async def transcribe(self, request: TranscribeRequest) -> str:
        """The typed value without separators, hex digits in lower case."""
        ...

    async def text(self, request: TextRequest) -> str: ...
    async def compare(self, request: CompareRequest) -> bool: ...
    async def attest(self, request: AttestRequest) -> Attested: ...
    async def checklist(self, request: ChecklistRequest) -> Checklisted: ...
    async def terminal(self, request: TerminalRequest) -> int:
        """The command's exit status."""
        ...
