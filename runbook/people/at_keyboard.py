"""The second person at the driver's keyboard: they say who they are, and sign there with their own key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from runbook.operator import Operator, WitnessRequest
from runbook.paths import resolve
from runbook.people.approval import Signed, approve, code_of
from runbook.people.inbox import account_name
from runbook.people.ssh_keygen import CannotSign
from runbook.record.gate_events import ApprovalAsked, PeopleNamed


@dataclass(frozen=True, slots=True)
class Reply:
    """A statement with its signature, or a no; nothing of it is verified."""

    who: str
    """Who they say they are, for people."""
    signed: Signed | None = None
    account: str = ""
    """The account it came from."""
    at_keyboard: bool = False
    no: str = ""
    """The reason, where the witness says no."""
    problem: str = ""
    """Why no signature came about."""


class AtKeyboard:
    """The question here: asked anew with each problem, but not while somebody is signing."""

    def __init__(self, run_id: str, asked: ApprovalAsked, title: str, people: PeopleNamed, operator: Operator) -> None:
        self._run_id = run_id
        self._asked = asked
        self._title = title
        self._people = people
        self._operator = operator
        self._signing = False
        self._task: asyncio.Task[Reply] | None = None

    @property
    def task(self) -> asyncio.Task[Reply]:
        """What is being asked now; `ask` comes first."""
        assert self._task is not None  # noqa: S101 - the order of calls is ours
        return self._task

    def ask(self, problem: str = "") -> None:
        """Ask, or ask again and say why."""
        if self._task is not None and not self._task.done():
            if self._signing:
                return
            self._task.cancel()
        self._task = asyncio.create_task(self._ask(problem, self._task), name="witness here")

    def answer(self) -> Reply:
        """What came of it; raises what the operator raised."""
        self._signing = False
        return self.task.result()

    async def end(self) -> None:
        """Take the question away; harmless when done twice."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _ask(self, problem: str, before: asyncio.Task[Reply] | None) -> Reply:
        if before is not None:
            await asyncio.wait([before])  # one question at a time: the screen must be free again
        asked = self._asked
        request = WitnessRequest(
            asked.step,
            self._title,
            asked.what,
            code_of(self._run_id, asked),
            self._people.witnesses,
            asked.expires_at,
            problem,
        )
        signs = await self._operator.witness(request)
        self._signing = True
        principal = self._people.principals.get(signs.witness, signs.witness)
        key = resolve(Path.cwd(), signs.key)
        try:
            signed = await approve(asked, self._run_id, principal, key, self._operator.terminal)
        except CannotSign as error:
            return Reply(signs.witness, problem=str(error), at_keyboard=True)
        return Reply(signs.witness, signed, account_name(), at_keyboard=True)
