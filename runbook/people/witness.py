"""The second people of a run, on the driver's side: takes what they leave, and asks for approvals (design §7)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from runbook.errors import EnvironmentLacks, JournalError, StepError
from runbook.event import Event
from runbook.operator import Operator
from runbook.people import inbox
from runbook.people.approval import ExactAction, Signed, judge, question
from runbook.people.at_keyboard import AtKeyboard, Reply
from runbook.people.inbox import Left
from runbook.people.people import name_people, signers_bytes, signers_of, signers_sha256
from runbook.people.sharing import share
from runbook.people.ssh_keygen import SignatureRefused
from runbook.record.events import NoteAdded, RunStarted
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused, PeopleNamed, WitnessJoined
from runbook.record.state import RunState
from runbook.secrets import Redactor
from runbook.site import TwoPeople
from runbook.text import clean_line

LOOK = 0.3
"""Seconds between two looks into the folder of answers."""

SIGNERS = "allowed_signers"
"""The name of the attachment that holds the file: what a stranger needs to check the approvals."""

_MINUTE = 60.0
"""Seconds."""

_TRIES = 5
"""Questions made until one holds nothing that a known secret would be cut out of."""


class NotApproved(StepError):
    """A second person said no, or nobody answered in time."""

    symptom = "not approved"


class Recorder(Protocol):
    """What writes the record; the engine is one."""

    @property
    def state(self) -> RunState: ...
    async def record(self, event: Event) -> None: ...
    async def attach(self, step_id: str, name: str, content: bytes) -> str: ...
    async def record_at_head(self, make: Callable[[str], Event]) -> Event:
        """Record the event made of the head before it (64 hex digits); as recorded, without any known secret."""
        ...


class SecondPeople:
    """Those of one run. `begin` once the run has its header, `obtain` at gates, `close` at the end."""

    def __init__(
        self, header: RunStarted, run_folder: Path, two: TwoPeople, recorder: Recorder, redactor: Redactor
    ) -> None:
        self._run_id = header.run_id
        self._shared = (header.runbook_sha256, header.rollback_sha256)
        self._folder = run_folder
        self._two = two
        self._recorder = recorder
        self._redactor = redactor
        self._people: PeopleNamed | None = None
        self._watching: asyncio.Task[None] | None = None
        self._asked: ApprovalAsked | None = None
        self._answers: asyncio.Queue[Reply] = asyncio.Queue()

    async def begin(self, operator: Operator, *, gated: bool) -> None:
        """Record who is who, and take from now on what witnesses leave.

        `gated`: the run has gates for two people, so the operator is asked who drives where their account does not
        tell. Harmless when done twice. Raises JournalError, EnvironmentLacks.
        """
        if self._watching is not None:
            return
        await self._name(operator if gated else None)
        await asyncio.to_thread(self._prepare)
        self._watching = asyncio.create_task(self._watch(), name="second people")

    def _prepare(self) -> None:
        try:
            inbox.prepare(self._folder)
        except OSError as error:
            raise EnvironmentLacks(
                f"witnesses cannot leave answers: {error.strerror}", where=str(self._folder / inbox.FOLDER)
            ) from error
        if self._two.group:
            share(self._folder, self._two.group, *self._shared)

    async def close(self) -> None:
        """Stop watching; harmless when done twice."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def obtain(self, step: str, title: str, action: ExactAction, operator: Operator) -> ApprovalGiven:
        """Ask a second person to approve this action, and wait: the first answer that holds is taken.

        They answer in a session of their own, or at this keyboard through `operator`. Each answer that is refused is
        recorded, and the wait goes on. Raises NotApproved when they say no or the time is over, PromptCancelled when
        the operator leaves the question.
        """
        people = await self._driver_known(operator)
        if await signers_sha256(self._two) != people.signers_sha256:
            raise NotApproved(
                "the allowed-signers file was changed since this run began",
                where=self._two.allowed_signers,
                remedy="Put it back, or end the run and resume it: the record then says which file holds.",
            )
        asked = await self._ask(step, action)
        self._answers = asyncio.Queue()
        self._asked = asked
        try:
            async with asyncio.timeout(self._two.minutes * _MINUTE):
                given = await self._accepted(asked, title, people, operator)
        except TimeoutError:
            reason = f"nobody approved it until {asked.expires_at}"
            await self._recorder.record(ApprovalRefused(step, "", reason, by_witness=False))
            raise NotApproved(reason, remedy="Try again when a witness is there.") from None
        finally:
            self._asked = None
        await self._recorder.record(given)
        return given

    async def _driver_known(self, operator: Operator) -> PeopleNamed:
        if self._people is None or not self._people.driver:
            await self._name(operator)
        if self._people is None or not self._people.driver:
            raise NotApproved("nobody has said who drives, so nobody can be the second person")
        if not self._people.witnesses:
            raise NotApproved("the site profile names nobody else who may witness")
        return self._people

    async def _name(self, operator: Operator | None) -> None:
        self._people = await name_people(self._two, operator)
        await self._recorder.record(self._people)
        if self._recorder.state.attached.get(SIGNERS) != self._people.signers_sha256:
            await self._recorder.attach("", SIGNERS, await signers_bytes(self._two))

    async def _ask(self, step: str, action: ExactAction) -> ApprovalAsked:
        """The question as it stands in the record."""
        for _ in range(_TRIES):
            shown = await self._recorder.record_at_head(lambda head: question(step, action, head, self._two.minutes))
            if isinstance(shown, ApprovalAsked) and "•" not in shown.head + shown.nonce + shown.action_sha256:
                return shown
        raise NotApproved("a known secret stands in the digests of the question, by chance; try again")

    async def _accepted(
        self, asked: ApprovalAsked, title: str, people: PeopleNamed, operator: Operator
    ) -> ApprovalGiven:
        here = AtKeyboard(self._run_id, asked, title, people, operator)
        answers = asyncio.create_task(self._answers.get(), name="answers")
        here.ask()
        try:
            while True:
                await asyncio.wait({here.task, answers}, return_when=asyncio.FIRST_COMPLETED)
                if answers.done():
                    reply = answers.result()
                    answers = asyncio.create_task(self._answers.get(), name="answers")
                else:
                    reply = here.answer()
                try:
                    given = await self._judged(reply, asked, people)
                except SignatureRefused as refused:
                    await self._refuse(asked.step, reply.who, refused.what)
                    here.ask(f"The answer of {reply.who} was not accepted: {refused.what}")
                    continue
                await here.end()  # before the record says that it is over
                return given
        finally:
            answers.cancel()
            await here.end()

    async def _judged(self, reply: Reply, asked: ApprovalAsked, people: PeopleNamed) -> ApprovalGiven:
        """Raises SignatureRefused; NotApproved where the witness says no."""
        if reply.no:
            await self._recorder.record(ApprovalRefused(asked.step, reply.who, reply.no, by_witness=True))
            raise NotApproved(f"{reply.who} said no: {reply.no}", remedy="Settle it with them; nothing was done.")
        signed = reply.signed
        if signed is None:
            raise SignatureRefused(reply.problem)
        if any(self._redactor(part) != part for part in (signed.text, signed.signature)):
            raise SignatureRefused("a known secret would have to be cut out of it, by chance; sign once more")
        signers = signers_of(self._two)
        name, fingerprint = await judge(signed, asked, self._run_id, people=people, signers=signers)
        return ApprovalGiven(
            asked.step, name, fingerprint, reply.at_keyboard, signed.text, signed.signature, reply.account
        )

    async def _refuse(self, step: str, who: str, reason: str) -> None:
        await self._recorder.record(ApprovalRefused(step, who, reason, by_witness=False))

    async def _watch(self) -> None:
        """Take what is left there, for as long as the run goes on."""
        done: set[Path] = set()
        with contextlib.suppress(JournalError):  # the run ends by itself then
            while True:
                for found in await asyncio.to_thread(inbox.look, self._folder):
                    if found.path not in done and found.left is not None:
                        await self._take(found.left, found.account)
                    done.add(found.path)
                    await asyncio.to_thread(inbox.remove, found)
                await asyncio.sleep(LOOK)

    async def _take(self, left: Left, account: str) -> None:
        who, at = self._who(left, account), self._recorder.state.at
        match left.kind:
            case "joined":
                await self._recorder.record(WitnessJoined(who, clean_line(left.text, 100)))
            case "note":
                await self._recorder.record(NoteAdded(at, left.text, by=who))
            case "refusal" if self._asked is not None:
                await self._take_refusal(left, who, account, self._asked)
            case "approval" if self._asked is not None:
                self._answers.put_nowait(Reply(who, Signed(left.text, left.signature), account))
            case "refusal" | "approval":
                await self._refuse(at, who, "it came when nothing was being asked")

    async def _take_refusal(self, left: Left, who: str, account: str, asked: ApprovalAsked) -> None:
        if left.nonce != asked.nonce:
            await self._refuse(asked.step, who, "it says no to another question than the one that is open")
        elif self._people is None or left.witness not in self._people.witnesses:
            await self._refuse(asked.step, who, "it says no, and they are none of those who may witness")
        else:
            self._answers.put_nowait(Reply(who, account=account, no=left.text.strip() or "no reason given"))

    def _who(self, left: Left, account: str) -> str:
        """The name they give, and the account it came from where that is not known as theirs."""
        theirs = self._two.people.get(left.witness)
        known = theirs is not None and account in theirs.accounts
        return left.witness if known else f"{left.witness or 'somebody'} (account {account})"
