"""Events of gates: time windows, and what a second person said (design §7, two people)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from runbook.event import Event, Level


@dataclass(frozen=True, slots=True)
class WindowSet(Event):
    """The time window of a stage was given, or changed: a change is a deviation."""

    type: ClassVar[str] = "window.set"
    stage: str
    opens: str
    closes: str
    """Both RFC 3339 with offset."""
    reason: str = ""
    """Why it was changed; empty the first time."""


@dataclass(frozen=True, slots=True)
class PeopleNamed(Event):
    """Who drives from here on, and who may approve: as the site profile has it, and as the operator said."""

    type: ClassVar[str] = "people.named"
    driver: str
    """Their name in the site profile; empty: nobody has said it yet."""
    known_by: str
    """`account`, where the account is theirs alone; `chosen`, where the operator said who they are; empty: unknown."""
    principals: Mapping[str, str]
    """By name: the principal of the allowed-signers file."""
    accounts: Mapping[str, str]
    """By account of this machine: the name of the one whose it is alone."""
    witnesses: tuple[str, ...]
    """The names of those who may witness; the driver is never among them."""
    signers_sha256: Annotated[str, Level.PUBLIC]
    """Hex digest of the allowed-signers file's bytes; it must stay the same while the run goes on."""


@dataclass(frozen=True, slots=True)
class WitnessJoined(Event):
    """A witness follows the run in a session of their own."""

    type: ClassVar[str] = "witness.joined"
    account: str
    host: str


@dataclass(frozen=True, slots=True)
class ApprovalAsked(Event):
    """A second person is asked to approve; what they sign is made of this (docs/approval.md)."""

    type: ClassVar[str] = "approval.asked"
    step: str
    action_sha256: Annotated[str, Level.PUBLIC]
    """Hex digest of the exact action: kind, arguments and commands in canonical form."""
    head: Annotated[str, Level.PUBLIC]
    """The journal's head before this record, 64 hex digits."""
    nonce: str
    asked_at: str
    expires_at: str
    """RFC 3339 in UTC."""
    what: tuple[str, ...]
    """The action in exact commands, for the witness to read."""
    kind: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Kind and arguments; with `what` they are all that `action_sha256` is made of."""


@dataclass(frozen=True, slots=True)
class ApprovalGiven(Event):
    """A second person approved, and the signature holds."""

    type: ClassVar[str] = "approval.given"
    step: str
    witness: str
    """The principal of the allowed-signers file."""
    key: Annotated[str, Level.PUBLIC]
    """The key's fingerprint, `SHA256:…`."""
    at_keyboard: bool
    """Whether it was signed at the driver's keyboard, and not in a session of the witness's own."""
    statement: str
    """The text that was signed."""
    signature: str
    """Armoured SSH signature (PROTOCOL.sshsig)."""
    account: str = ""
    """The account of this machine that handed it in."""


@dataclass(frozen=True, slots=True)
class ApprovalRefused(Event):
    """An approval was not accepted, or the witness said no."""

    type: ClassVar[str] = "approval.refused"
    step: str
    witness: str
    """Who they say they are; empty: unknown."""
    reason: str
    by_witness: bool
    """Whether the witness said no; otherwise the program refused the signature."""
