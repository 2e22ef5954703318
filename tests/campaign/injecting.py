"""Brings the fault of a case at the APDU it names; each is armed by a fact, never by time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from rehearsal.card.apdu import SW
from rehearsal.card.errors import CardControlFailed
from rehearsal.card.faults import FaultKind
from rehearsal.card.status import CardStatus
from tests.campaign.bench import Bench
from tests.campaign.cases import Case, Trouble
from tests.campaign.leftovers import workers

INJECTION = "injection"
"""The name of the task that acts; what it does is not the program's doing."""

_SLOW_MILLISECONDS = 20.0

_KINDS = {
    Trouble.PULLED: FaultKind.PULL,
    Trouble.PUT_BACK: FaultKind.PULL,
    Trouble.SWAPPED: FaultKind.PULL,
    Trouble.SILENT: FaultKind.SILENT,
    Trouble.GARBAGE: FaultKind.GARBAGE,
    Trouble.SHORT: FaultKind.SHORT,
    Trouble.STATUS: FaultKind.STATUS,
    Trouble.DENIED: FaultKind.STATUS,
}
"""All others happen while the card is held in the middle of the command."""


class Injection:
    """The fault of one case."""

    def __init__(self, bench: Bench, case: Case, *, in_time: float, too_late: float) -> None:
        self._bench = bench
        self._case = case
        self._pause = in_time if case.trouble is Trouble.LATE else too_late
        self._came = False
        self._before: CardStatus | None = None
        self._acting: asyncio.Task[None] | None = None

    async def arm(self) -> None:
        """From now on it is to come."""
        control, case = self._bench.control, self._case
        self._before = await control.status()
        if case.trouble is Trouble.SLOW_CARD:
            await control.slow(_SLOW_MILLISECONDS)
        elif case.trouble.at_pin_check:
            await control.at_pin_check()
        else:
            status = SW.SECURITY_STATUS_NOT_SATISFIED if case.trouble is Trouble.DENIED else SW.UNKNOWN_FAILURE
            kind = _KINDS.get(case.trouble, FaultKind.HOLD)
            await control.fault(kind, after=case.apdu, carried_out=case.carried_out, status=status)
        self._acting = asyncio.create_task(self._act(), name=INJECTION)

    async def over(self) -> None:
        """Wait until what was to happen has happened; where the fault never came, it comes no more."""
        if await self._come() and self._acting:
            await self._acting

    async def end(self) -> bool:
        """End it; whether the card ever came to it."""
        came = await self._come()
        if self._acting:
            if self._came and self._case.trouble is Trouble.RESTARTED:
                await self._acting  # half a start would leave a pcscd that nobody knows
            self._acting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._acting
        return came

    async def _come(self) -> bool:
        return self._came or self._there(await self._bench.control.status())

    def _there(self, now: CardStatus) -> bool:
        assert self._before
        if self._case.trouble.at_pin_check:
            return not now.inserted
        return now.apdus >= self._before.apdus + max(self._case.apdu, 1)

    async def _act(self) -> None:
        """What happens around the card once it is there."""
        bench, trouble = self._bench, self._case.trouble
        await bench.control.wait_until(self._there, deadline=60)
        self._came = True
        match trouble:
            case Trouble.PUT_BACK | Trouble.POWER_BACK:
                out = await bench.control.wait_until(lambda now: not now.inserted)
                await bench.control.insert()
                with contextlib.suppress(CardControlFailed):  # nobody uses the card any more, and so nobody powers it
                    await bench.control.wait_until(lambda now: now.power_ups > out.power_ups, deadline=2)
            case Trouble.SWAPPED:
                await bench.control.wait_until(lambda now: not now.inserted)
                await bench.insert_stranger()
            case Trouble.LATE | Trouble.TOO_LATE:
                await asyncio.sleep(self._pause)
                await bench.control.clear()
            case Trouble.KILLED | Trouble.STOPPED:
                for pid in workers():
                    os.kill(pid, signal.SIGKILL if trouble is Trouble.KILLED else signal.SIGSTOP)
                await bench.control.clear()
            case Trouble.NO_PCSCD:
                await bench.kill_pcscd()
                await bench.control.clear()
            case Trouble.RESTARTED:
                await bench.kill_pcscd()
                await bench.control.clear()
                await bench.restart_pcscd()
