"""A run on record, as its driver writes it, and a witness who follows it on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runbook.event import Event
from runbook.people import inbox
from runbook.people.approval import ExactAction, question
from runbook.people.following import Following
from runbook.record import events as ev
from runbook.record.gate_events import ApprovalAsked, PeopleNamed
from runbook.record.journal import Journal
from runbook.secrets import Redactor
from screens.witness_app import WitnessApp
from tests.screens.conftest import Driven
from tests.screens.gate_samples import COMMANDS
from tests.screens.samples import RUNBOOK
from tests.screens.scripted import RUN_ID

PEOPLE = PeopleNamed(
    "anna",
    "account",
    {"anna": "anna@example.org", "ben": "ben@example.org"},
    {},
    ("ben",),
    "",
)


def header(*, rehearsal: bool = False) -> ev.RunStarted:
    """The sample run's."""
    return ev.RunStarted(
        RUN_ID, RUNBOOK.id, RUNBOOK.title, "", "input-b", "", "hsm-runbook 1", "input-b", "anna", rehearsal
    )


@dataclass
class Driver:
    """Who writes the record; what a witness leaves is found in `left`."""

    folder: Path
    journal: Journal

    async def say(self, *events: Event) -> None:
        for event in events:
            await self.journal.append(event)

    async def ask(self, now: datetime, what: tuple[str, ...] = COMMANDS, step: str = "A1.slots") -> ApprovalAsked:
        """Ask for an approval, as the engine does."""
        action = ExactAction("docker.volume.recreate", {"volume": "ccat-ca_step-ca-data"}, what)
        asked = question(step, action, self.journal.head, 15, now)
        await self.say(asked)
        return asked

    def left(self, kind: str) -> list[inbox.Left]:
        """What the witness left of that kind."""
        return [found.left for found in inbox.look(self.folder) if found.left and found.left.kind == kind]


@dataclass
class Witnessed(Driven):
    """The witness's application and the driver."""

    driver: Driver


@asynccontextmanager
async def witnessed(
    folder: Path,
    size: tuple[int, int] = (80, 24),
    *before: Event,
    name: str = "ben",
    key: Path | None = None,
    rehearsal: bool = False,
) -> AsyncIterator[Witnessed]:
    """A witness who follows a run that began with these events."""
    folder = folder / "run"
    journal = await Journal.create(folder, Redactor())
    inbox.prepare(folder)
    driver = Driver(folder, journal)
    try:
        begun = header(rehearsal=rehearsal)
        await driver.say(begun, PEOPLE, *before)
        following = Following(journal.path, name)
        async with aclosing(following.events()) as happened:
            await anext(happened)
            app = WitnessApp(following, RUNBOOK, begun, happened, key=key)
            async with app.run_test(size=size) as pilot:
                shown = Witnessed(app, pilot, [], [], driver)
                await shown.until("you follow as" if name == "ben" else "you follow,")
                yield shown
    finally:
        await journal.close()
