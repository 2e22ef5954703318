"""One case: the real engine walks the operation with a real journal while the fault comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from checks.hsm.pool import TokenPool
from runbook.event import Event
from runbook.kind import Registry
from runbook.operator import (
    Attested,
    AttestRequest,
    ChoiceRequest,
    ConfirmRequest,
    Decided,
    Decision,
    Moment,
    PinRequest,
)
from runbook.record.events import RunStarted
from runbook.record.journal import Journal
from runbook.run.engine import Engine, Plan
from runbook.secrets import Redactor, Secret
from tests.campaign import blocking
from tests.campaign.bench import PIN, Bench
from tests.campaign.cases import Case, Place, Spot, Trouble
from tests.campaign.injecting import INJECTION, Injection
from tests.campaign.leftovers import Leftovers
from tests.campaign.steps import WRONG_PIN, runbook

CALL_DEADLINE = 2.0
LOAD_DEADLINE = 4.0

_UNSETTLED = frozenset({Trouble.SILENT, Trouble.PUT_BACK, Trouble.POWER_BACK})
"""After these pcscd may still wait for the card, or not know yet that it was gone."""


@dataclass
class Walked:
    """What came of a case."""

    spot: Spot
    case: Case | None
    """None: without a fault."""
    events: list[Event] = field(default_factory=list)
    prompts: int = 0
    armed: bool = False
    """Whether the run came to the operation."""
    repeated: str = ""
    """Why the run before this one never came to it; empty where there was none."""
    reached: bool = False
    """Whether the card came to the APDU that was to suffer."""
    seconds: float = 0.0
    """From the moment the fault was armed to the end of the run."""
    blocked: blocking.Blocked = field(default_factory=blocking.Blocked)
    checks: int = 0
    """PIN attempts by our card's own count."""
    strangers_checks: int = 0
    journal_problems: list[str] = field(default_factory=list)
    journal_text: str = ""
    left_over: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the event loop had to complain about."""
    apdus: tuple[str, ...] = ()
    """What the card was told from the moment the operation began, by name."""


class Driver:
    """An operator who runs every step, tries the one that suffered once more, and answers every prompt."""

    source = "script"

    def __init__(self, bench: Bench, walked: Walked) -> None:
        self._bench = bench
        self._walked = walked
        self._again = walked.case is not None and walked.spot.place is Place.IN_STAGE and walked.case.trouble.passes
        self.injection: Injection | None = None
        self.armed_at = 0.0
        self.apdus_before = 0

    async def decide(self, moment: Moment) -> Decided:
        target = moment.step_id == self._walked.spot.step
        if moment.unmet:
            return Decided(Decision.STOP, "unmet")
        if moment.outcome is None:
            if target:
                await self._arm()
            return Decided(Decision.RUN)
        if target and self._again and Decision.RETRY in moment.allowed:
            self._again = False
            if self.injection:
                await self.injection.over()
            return Decided(Decision.RETRY)
        return Decided(Decision.STOP, "not green")

    async def pin(self, request: PinRequest) -> Secret:
        self._walked.prompts += 1
        return Secret.from_text("111111" if self._walked.spot.step == WRONG_PIN else PIN)

    async def confirm(self, request: ConfirmRequest) -> bool:
        # A card whose answers are spoilt can look like one with a PIN pad of its own; its question is the prompt then.
        self._walked.prompts += "own pad" in request.question
        return True

    async def choose(self, request: ChoiceRequest) -> str:
        return request.choices[0][0]

    async def attest(self, request: AttestRequest) -> Attested:
        return Attested(tuple(True for _ in request.statements))

    async def _arm(self) -> None:
        self.apdus_before = (await self._bench.control.status()).apdus
        self._walked.armed, self.armed_at = True, time.monotonic()
        if self._walked.case:
            self.injection = Injection(
                self._bench, self._walked.case, in_time=0.3 * CALL_DEADLINE, too_late=1.2 * LOAD_DEADLINE
            )
            await self.injection.arm()


async def walk(bench: Bench, spot: Spot, case: Case | None = None) -> Walked:
    """Run it; the bench is as it was afterwards."""
    walked = Walked(spot, case)
    driver = Driver(bench, walked)
    before = await bench.control.status()
    strangers_before = await bench.strangers_checks()
    leftovers = Leftovers()
    async with _engine(bench, walked, driver) as engine:
        with blocking.measured(but=INJECTION) as walked.blocked, _complaints(walked.complaints):
            async with aclosing(engine.events()) as events:
                async for event in events:
                    walked.events.append(event)
    walked.seconds = time.monotonic() - driver.armed_at if driver.armed_at else 0.0
    if driver.injection:
        walked.reached = await driver.injection.end()
    walked.left_over = await leftovers.found(bench.pcscd_pid)
    await _count(bench, walked, driver, before.user_checks, strangers_before)
    await bench.restore(anew=case is not None and case.trouble in _UNSETTLED)
    return walked


async def _count(bench: Bench, walked: Walked, driver: Driver, checks_before: int, strangers_before: int) -> None:
    now = await bench.control.status()
    walked.strangers_checks = await bench.strangers_checks() - strangers_before
    walked.checks = await bench.our_checks() - checks_before
    told = now.apdus - driver.apdus_before
    walked.apdus = tuple(line.rpartition(" -> ")[0] for line in now.log[len(now.log) - told :])


@contextlib.asynccontextmanager
async def _engine(bench: Bench, walked: Walked, driver: Driver) -> AsyncIterator[Engine]:
    book = runbook(walked.spot)
    folder = await asyncio.to_thread(bench.run_folder)
    header = RunStarted("run", book.id, book.title, "0" * 64, bench.site.name, "0" * 64, "campaign", "host", "me", True)
    redactor = Redactor()
    journal = await Journal.create(folder, redactor)
    plan = Plan(header, book, bench.folder, bench.site, {})
    try:
        with patch.object(TokenPool, "open", _open):
            yield Engine(plan, Registry(), driver, journal, redactor)  # type: ignore[arg-type]  # it asks for no more
    finally:
        await journal.close()
    found = await asyncio.to_thread(bench.verified, folder)
    walked.journal_problems, walked.journal_text = found


async def _open(site: Any, redactor: Redactor) -> TokenPool:
    """The pool with deadlines that a campaign can wait for."""
    return TokenPool(site, redactor, deadline=CALL_DEADLINE, loading=LOAD_DEADLINE)


@contextlib.contextmanager
def _complaints(said: list[str]) -> Iterator[None]:
    """Exceptions that nobody asked for, and the like."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(f"{context['message']}: {context.get('exception')!r}"))
    try:
        yield
    finally:
        loop.set_exception_handler(None)
