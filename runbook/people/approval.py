"""What a second person signs, and whether what they signed is what was asked (docs/approval.md).

A statement names the run, the step, the exact action, the journal's head and a nonce, so that it can serve once, here,
now, and for nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785

from runbook.people.ssh_keygen import SignatureRefused, Signers, Terminal, parse, sign, verify
from runbook.record.gate_events import ApprovalAsked, PeopleNamed
from runbook.record.records import plain, redacted_value
from runbook.secrets import Redactor
from runbook.text import clean_line
from runbook.threads import in_thread

NAMESPACE = "approval@hsm-runbook"
"""Of our signatures (ssh-keygen(1), `-n`): a signature made for anything else never counts here, nor ours elsewhere.

ssh-keygen proposes NAME@DOMAIN; this is the name of the program, which no domain can have.
"""

VERSION = 1
"""Of the statement's format."""

LONGEST = 8192
"""Characters of a statement that is read."""


@dataclass(frozen=True, slots=True)
class ExactAction:
    """What will be done: everything that an approval is for."""

    kind: str
    params: Mapping[str, Any]
    """The step's own keys with the values inserted, as plain JSON values."""
    plan: tuple[str, ...]
    """The same in commands, a line each, for people (`Kind.plan`)."""

    @classmethod
    def of(cls, kind: str, params: Mapping[str, Any], plan: Sequence[str], redactor: Redactor) -> ExactAction:
        """Without any known secret, as the journal holds it: a digest of a secret would give it away."""
        known = {key: redacted_value(plain(value), redactor) for key, value in params.items()}
        return cls(redactor(kind), known, tuple(redactor(plain(line)) for line in plan))

    @property
    def sha256(self) -> str:
        """Hex digest of `{"kind":…,"params":…,"plan":[…]}` in canonical JSON (RFC 8785)."""
        return hashlib.sha256(
            rfc8785.dumps({"kind": self.kind, "params": dict(self.params), "plan": list(self.plan)})
        ).hexdigest()


def action_of(asked: ApprovalAsked) -> ExactAction:
    """The action of a question, as it stands in the record."""
    return ExactAction(asked.kind, plain(asked.params), asked.what)


def question(step: str, action: ExactAction, head: str, minutes: float, now: datetime | None = None) -> ApprovalAsked:
    """A question that can be answered once, from now on for so many minutes."""
    asked_at = now or datetime.now(UTC)
    return ApprovalAsked(
        step=step,
        action_sha256=action.sha256,
        head=head,
        nonce=secrets.token_hex(16),
        asked_at=moment_text(asked_at),
        expires_at=moment_text(asked_at + timedelta(minutes=minutes)),
        what=action.plan,
        kind=action.kind,
        params=action.params,
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """The signed text: one object of canonical JSON with these keys, all values text but `version`."""

    run_id: str
    step: str
    action_sha256: str
    head: str
    nonce: str
    """32 hex digits."""
    asked_at: str
    expires_at: str
    witness: str
    """The principal of the one who signs."""
    signed_at: str
    """RFC 3339 in UTC, as all times here."""
    decision: str = "approve"
    version: int = VERSION

    def text(self) -> str:
        """What is signed, without a line end."""
        return rfc8785.dumps(asdict(self)).decode()

    @property
    def code(self) -> str:
        """For both screens to show: what tells this question from every other one."""
        return code_of(self.run_id, self)


def statement_for(asked: ApprovalAsked, run_id: str, principal: str, now: datetime | None = None) -> Statement:
    """What `principal` signs to say yes to this question."""
    return Statement(
        run_id=run_id,
        step=asked.step,
        action_sha256=asked.action_sha256,
        head=asked.head,
        nonce=asked.nonce,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        witness=principal,
        signed_at=moment_text(now or datetime.now(UTC)),
    )


def code_of(run_id: str, asked: ApprovalAsked | Statement) -> str:
    """Eight hex digits in two groups, of the digest of run, step, action, head and nonce.

    A help for two people in two rooms to see that they look at the same question; the signature does not rest on it.
    """
    parts = [run_id, asked.step, asked.action_sha256, asked.head, asked.nonce]
    digits = hashlib.sha256(rfc8785.dumps(parts)).hexdigest()[:8].upper()
    return f"{digits[:4]} {digits[4:]}"


def read_statement(text: str) -> Statement:
    """Raises SignatureRefused where the text is no statement of this version, spelled canonically."""
    try:
        data = json.loads(text[: LONGEST + 1]) if len(text) <= LONGEST else None
        if not isinstance(data, dict) or set(data) != {field.name for field in fields(Statement)}:
            raise SignatureRefused("what was signed is no approval of a step")
        if data["version"] != VERSION or not all(type(data[key]) is str for key in data if key != "version"):
            raise SignatureRefused(f"the approval has another format than version {VERSION}, which is known here")
        statement = Statement(**data)
        if statement.text() != text:
            raise SignatureRefused("the approval is not spelled canonically")
    except (ValueError, RecursionError) as error:
        raise SignatureRefused("what was signed is no approval of a step") from error
    return statement


def judge_statement(said: Statement, asked: ApprovalAsked, run_id: str, now: datetime) -> None:
    """Check that the statement answers this question and no other, in time; raises SignatureRefused with the reason."""
    if said.decision != "approve":
        raise SignatureRefused(f"it does not approve: its decision is `{clean_line(said.decision)}`")
    if said.run_id != run_id:
        raise SignatureRefused(f"it is for another run: {clean_line(said.run_id)}")
    if said.step != asked.step:
        raise SignatureRefused(f"it is for another step: {clean_line(said.step)}, not {asked.step}")
    if said.action_sha256 != asked.action_sha256:
        raise SignatureRefused("it is for other arguments: the digest of the action is not the one asked for")
    if said.nonce != asked.nonce:
        raise SignatureRefused("it answers another question, asked before or elsewhere: its nonce is not of this one")
    if said.head != asked.head:
        raise SignatureRefused("it was made at another state of the record: its head is not the one asked at")
    if (said.asked_at, said.expires_at) != (asked.asked_at, asked.expires_at):
        raise SignatureRefused("it changes the time that was given for it")
    if not moment(asked.asked_at) <= moment(said.signed_at):
        raise SignatureRefused(f"it was signed before it was asked for, at {clean_line(said.signed_at)}")
    if moment(said.signed_at) > now:
        raise SignatureRefused(f"it says that it was signed in the future, at {clean_line(said.signed_at)}")
    if max(moment(said.signed_at), now) > moment(asked.expires_at):
        raise SignatureRefused(f"it comes too late: the question ended at {asked.expires_at}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement as it was signed, and the armoured signature; neither is verified."""

    text: str
    signature: str


async def judge(
    signed: Signed,
    asked: ApprovalAsked,
    run_id: str,
    *,
    people: PeopleNamed,
    signers: Signers,
    now: datetime | None = None,
) -> tuple[str, str]:
    """Check an answer to a question: the witness's name in the site profile, and the fingerprint of their key.

    `now`: the moment it is judged for; the keys must be valid then. Raises SignatureRefused with the reason.
    """
    at = now or datetime.now(UTC)
    said = read_statement(signed.text)
    judge_statement(said, asked, run_id, at)
    name = witness_of(said.witness, people)
    fingerprint = await verify(signed.text, signed.signature, NAMESPACE, signers=signers, principal=said.witness, at=at)
    driver = people.principals.get(people.driver)
    if driver and await _is_of(driver, signed, signers, at):
        raise SignatureRefused(f"the key {fingerprint} is the driver's too: a second person has a key of their own")
    return name, fingerprint


def witness_of(principal: str, people: PeopleNamed) -> str:
    """Whose principal it is; raises SignatureRefused where they may not witness this run."""
    if principal == people.principals.get(people.driver):
        raise SignatureRefused(f"{people.driver} drives this run: a second person must approve")
    name = next((name for name, known in people.principals.items() if known == principal), "")
    if not name:
        raise SignatureRefused(f"`{clean_line(principal)}` is nobody of the site profile's `people`")
    if name not in people.witnesses:
        raise SignatureRefused(f"{name} may not witness (`may` in the site profile)")
    return name


async def _is_of(principal: str, signed: Signed, signers: Signers, at: datetime) -> bool:
    """Whether the key is this principal's as well, whatever the file's lines say about when it is valid."""
    blob = base64.b64encode(parse(signed.signature).public_key).decode()
    text = await in_thread(lambda: signers.allowed.read_text(encoding="utf-8", errors="replace"))
    for words in (line.split() for line in text.splitlines()):
        if blob in words and principal in words[0].strip('"').split(","):
            return True
    try:
        await verify(signed.text, signed.signature, NAMESPACE, signers=signers, principal=principal, at=at)
    except SignatureRefused:
        return False
    return True


async def approve(asked: ApprovalAsked, run_id: str, principal: str, key: Path, terminal: Terminal | None) -> Signed:
    """The witness's yes, signed with their key; raises CannotSign, and what `terminal` raises."""
    text = statement_for(asked, run_id, principal).text()
    return Signed(text, await sign(key, text, NAMESPACE, terminal))


def moment(text: str) -> datetime:
    """The time of a statement; raises SignatureRefused."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise SignatureRefused(f"`{clean_line(text)}` is no time as statements write it") from error


def moment_text(when: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
