"""Check the approvals of a record again, from the record and an allowed-signers file alone (docs/approval.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runbook.errors import RunbookError
from runbook.event import Event
from runbook.people.approval import Signed, action_of, judge, moment, read_statement
from runbook.people.ssh_keygen import SignatureRefused, Signers
from runbook.record.events import RunStarted, StepStarted
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, PeopleNamed
from runbook.record.records import plain
from runbook.threads import in_thread


@dataclass(frozen=True, slots=True)
class Checked:
    """An approval of a record, and what is wrong with it."""

    step: str
    witness: str
    key: str
    at: str
    """When it was signed."""
    at_keyboard: bool
    problem: str = ""
    """Empty: it holds."""


@dataclass
class Collected:
    """What a record holds about approvals; fold every record into it, in order."""

    run_id: str = ""
    people: PeopleNamed | None = None
    asked: dict[str, ApprovalAsked] = field(default_factory=dict)
    """By nonce."""
    given: list[tuple[ApprovalGiven, PeopleNamed | None, list[str]]] = field(default_factory=list)
    """Each with the people of that moment, and what the record itself shows to be wrong."""
    _heads: dict[str, str] = field(default_factory=dict)

    def add(self, event: Event, prev: str) -> None:
        """The next event, and the hash of the record before it."""
        match event:
            case RunStarted():
                self.run_id = event.run_id
            case PeopleNamed():
                self.people = event
            case ApprovalAsked():
                self.asked[event.nonce] = event
                self._heads[event.nonce] = prev
            case ApprovalGiven():
                self.given.append((event, self.people, []))
            case StepStarted():
                self._started(event)

    def _started(self, event: StepStarted) -> None:
        """An approval is for what is then done."""
        for given, _, problems in reversed(self.given):
            if given.step == event.step:
                asked = self.question(given)
                if asked is not None and (asked.kind, plain(asked.params)) != (event.kind, plain(event.params)):
                    problems.append("what was started is not what was approved: kind or arguments differ")
                return

    def question(self, given: ApprovalGiven) -> ApprovalAsked | None:
        """The question that the approval answers; None where the record holds none, or not with that head."""
        try:
            nonce = read_statement(given.statement).nonce
        except SignatureRefused:
            return None
        asked = self.asked.get(nonce)
        return asked if asked is not None and asked.head == self._heads[nonce] else None


async def verify_approval(
    given: ApprovalGiven, asked: ApprovalAsked, signers: Path, *, run_id: str, people: PeopleNamed
) -> None:
    """Check a recorded approval as of the moment it was signed; raises SignatureRefused with what is wrong."""
    if action_of(asked).sha256 != asked.action_sha256:
        raise SignatureRefused("the digest in the question is not the one of the action that it shows")
    said = read_statement(given.statement)
    name, key = await judge(
        Signed(given.statement, given.signature),
        asked,
        run_id,
        people=people,
        signers=Signers(signers),
        now=moment(said.signed_at),
    )
    if (name, key, asked.step) != (given.witness, given.key, given.step):
        raise SignatureRefused(f"it is by {name} with the key {key} for {asked.step}, and the record says otherwise")
    if await in_thread(lambda: _sha256(signers)) != people.signers_sha256:
        raise SignatureRefused("it holds by this allowed-signers file, which is not the one that the run had")


async def verify_approvals(events: Iterable[tuple[Event, str]], signers: Path) -> list[Checked]:
    """Every approval among the events (each with the hash of the record before it), in order."""
    collected = Collected()
    for event, prev in events:
        collected.add(event, prev)
    return [await _checked(collected, *each, signers) for each in collected.given]


async def _checked(
    collected: Collected, given: ApprovalGiven, people: PeopleNamed | None, problems: list[str], signers: Path
) -> Checked:
    asked = collected.question(given)
    found = list(problems)
    at = ""
    try:
        at = read_statement(given.statement).signed_at
        if asked is None:
            found.append("no question of the record is the one that was signed, at the head that was signed")
        elif people is None:
            found.append("the record does not say who may approve")
        else:
            await verify_approval(given, asked, signers, run_id=collected.run_id, people=people)
    except RunbookError as error:
        found.append(error.what)
    return Checked(given.step, given.witness, given.key, at, given.at_keyboard, "; ".join(found))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
