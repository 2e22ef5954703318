"""Follow a run from another session: its record as it grows, read-only, and what the witness leaves for the driver."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runbook.errors import JournalError, RunbookError, UsageError
from runbook.event import Event
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.people import inbox
from runbook.people.approval import Signed, action_of, approve, code_of
from runbook.people.inbox import Left, account_name
from runbook.people.ssh_keygen import Terminal
from runbook.record import attachments
from runbook.record.chain import START, BrokenRecord, Record, follows, short_head, unseal
from runbook.record.events import RunFinished, RunResumed, RunStarted, StepFinished, StepSkipped
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused, PeopleNamed
from runbook.record.records import event_of
from runbook.record.runlock import Holder, holder
from runbook.text import clean_line
from runbook.threads import in_thread

LOOK = 0.3
"""Seconds between two looks at the end of the record."""

_CHUNK = 1 << 20
"""Bytes read at a time; a longer record is read whole."""

_LOOKS_FOR = 20
"""How often what a roll-back walks is looked for."""

_HOLDER_EVERY = 10
"""Looks at the record between two looks at whether somebody drives."""


class CannotApprove(RunbookError):
    """Nothing is to be approved, or not by this person, or the record does not fit the question."""


@dataclass(frozen=True, slots=True)
class Me:
    """Who follows."""

    name: str
    """In the site profile, as the record has it."""
    principal: str


class Following:
    """One run, followed. `events` is to be called once; what the witness says goes through `approve` and the others.

    Nothing is ever written to the record: what the witness leaves lies beside it, and the driver's program takes it.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        """`path` of the journal; `name` is who follows (empty: whose account this is)."""
        self.path = path
        self._name = name
        self._head = START
        self._records = 0
        self._offset = 0
        self._inode: tuple[int, int] | None = None
        self._stopped = False
        self.header: RunStarted | None = None
        self.people: PeopleNamed | None = None
        self.asked: ApprovalAsked | None = None
        """The question that is open, so far as the record tells."""
        self.at = ""
        """When the event that was yielded last was recorded, RFC 3339 in UTC."""
        self.caught_up = False
        """Whether the event that was yielded last was the last of the record."""
        self.holder: Holder | None = None
        """Who drives; None: nobody, or it cannot be seen from this account."""

    @property
    def head(self) -> str:
        """The head of what was followed so far, in its short form."""
        return short_head(self._head)

    @property
    def code(self) -> str:
        """Of the open question, as the driver's screen shows it; empty: none is open."""
        return code_of(self.header.run_id, self.asked) if self.header and self.asked else ""

    @property
    def head_asked(self) -> str:
        """The head that the open question was asked at, in its short form; empty: none is open."""
        return short_head(self.asked.head) if self.asked else ""

    @property
    def me(self) -> Me:
        """Who follows; raises UsageError where the record names nobody or somebody else."""
        if self.people is None:
            raise UsageError("the record does not say who may witness", remedy="The site profile needs `two_people`.")
        known = self.people.principals
        name = self._name or self.people.accounts.get(account_name(), "")
        if name not in known:
            who = f"`{clean_line(name)}` is none of them" if name else f"the account {account_name()} is nobody's alone"
            raise UsageError(
                f"who are you? The site profile knows {', '.join(known)}, and {who}",
                remedy="Name yourself: runbook witness --as NAME.",
            )
        return Me(name, known[name])

    async def runbook(self) -> Runbook | None:
        """What the run walks, byte for byte as it was started with; None where this account cannot read it."""
        if self.header is None:
            return None
        if self.header.rollback_sha256:
            return await self._rollback(self.header.rollback_sha256)
        wanted = self.header.runbook_sha256
        places = (attachments.path_of(self.path.parent, wanted), Path(self.header.runbook_path))
        for place in places:
            try:
                loaded = await in_thread(partial(load_runbook, place, Registry()))
            except (RunbookError, OSError):
                continue
            if loaded.sha256 == wanted:
                return loaded.model
        return None

    async def _rollback(self, wanted: str) -> Runbook | None:
        """What a roll-back walks; it is attached an instant after the first record."""
        folder = self.path.parent
        for _ in range(_LOOKS_FOR):
            try:
                await in_thread(partial(attachments.load, folder, wanted))
                content = await in_thread(attachments.path_of(folder, wanted).read_bytes)
                return Runbook.model_validate_json(content)
            except (RunbookError, OSError):
                await asyncio.sleep(LOOK)
            except ValueError:  # of another version of the program
                return None
        return None

    def stop(self, reason: str = "") -> None:  # noqa: ARG002 - as a walk has it
        """End `events` at its next look."""
        self._stopped = True

    async def events(self) -> AsyncGenerator[Event, None]:
        """Every event from the beginning, each checked against the one before; ends with the run, or with `stop`.

        Raises JournalError when the record was changed, replaced or cannot be read; UnreadableRecord for a record of
        another version.
        """
        looks = 0
        while not self._stopped:
            records, at_end = await in_thread(self._more)
            for number, record in enumerate(records, start=1):
                event = event_of(record.type, record.fields)
                self._take(event, record)
                self.caught_up = at_end and number == len(records)
                yield event
                if isinstance(event, RunFinished) and self.caught_up:
                    return
            if looks % _HOLDER_EVERY == 0:
                self.holder = await in_thread(lambda: holder(self.path.parent))
            looks += 1
            if at_end:
                await asyncio.sleep(LOOK)

    def _take(self, event: Event, record: Record) -> None:
        self._head, self._records, self.at = record.hash, record.seq, record.at
        match event:
            case RunStarted():
                self.header = event
            case PeopleNamed():
                self.people = event
            case ApprovalAsked():
                self.asked = event if event.head == record.prev else None
            case ApprovalGiven() | StepFinished() | StepSkipped() | RunFinished() | RunResumed():
                self.asked = None
            case ApprovalRefused() if event.by_witness:
                self.asked = None

    def _more(self) -> tuple[list[Record], bool]:
        """The whole records that were added, and whether they are all there are."""
        try:
            with self.path.open("rb") as file:
                info = os.fstat(file.fileno())
                if self._inode not in (None, (info.st_dev, info.st_ino)):
                    raise self._error("the record was replaced by another file while it was followed")
                self._inode = info.st_dev, info.st_ino
                if info.st_size < self._offset:
                    raise self._error("the record was cut while it was followed: whole records are gone")
                file.seek(self._offset)
                data = file.read(_CHUNK)
                if b"\n" not in data and len(data) == _CHUNK:
                    data += file.readline()
                at_end = file.tell() >= info.st_size
        except OSError as error:
            raise self._error(f"it cannot be read: {error.strerror}") from error
        whole = data[: data.rfind(b"\n") + 1]
        records = []
        head, number = self._head, self._records
        for line in whole.split(b"\n")[:-1]:
            try:
                record = unseal(line)
                follows(record, number + 1, head)
            except BrokenRecord as error:
                raise self._error(f"record {number + 1}: {error}") from error
            head, number = record.hash, record.seq
            records.append(record)
        self._offset += len(whole)
        return records, at_end

    def _error(self, what: str) -> JournalError:
        return JournalError(
            what, where=clean_line(str(self.path)), remedy="Approve nothing; talk to the driver, and verify the record."
        )

    async def join(self) -> None:
        """Let the driver and the record know that a witness follows; raises CannotLeave, UsageError."""
        await self._leave(Left("joined", self.me.name, platform.node()))

    async def note(self, text: str) -> None:
        """A note for the record; raises CannotLeave, UsageError."""
        await self._leave(Left("note", self.me.name, text))

    async def refuse(self, asked: ApprovalAsked, reason: str) -> None:
        """Say no to the question; raises CannotLeave, UsageError."""
        await self._leave(Left("refusal", self.me.name, reason, nonce=asked.nonce))

    async def approve(self, asked: ApprovalAsked, key: Path, terminal: Terminal | None = None) -> None:
        """Say yes to the question with this key (`ssh_keygen.sign`); the driver's program judges it.

        Raises CannotApprove, CannotSign, CannotLeave and UsageError.
        """
        if self.header is None or action_of(asked).sha256 != asked.action_sha256:
            raise CannotApprove(
                "the digest in the question is not the one of the action that it shows; approve nothing"
            )
        if self.asked != asked:
            raise CannotApprove("the question is no longer open")
        if self.people and self.me.name == self.people.driver:
            raise CannotApprove(f"{self.me.name} drives this run: a second person must approve")
        signed: Signed = await approve(asked, self.header.run_id, self.me.principal, key, terminal)
        await self._leave(Left("approval", self.me.name, signed.text, signed.signature, asked.nonce))

    async def _leave(self, left: Left) -> None:
        await asyncio.to_thread(inbox.leave, self.path.parent, left)
