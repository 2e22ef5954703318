"""Steady pictures and a driver for the sample runbook."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.events import Paste
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen

from runbook.errors import ExitCode
from runbook.operator import Moment
from runbook.preferences import DEFAULTS, Preferences
from runbook.record.state import RunState
from screens import clock
from screens.app import RunbookApp
from tests.people.keys import PRINCIPALS, Keys
from tests.screens.samples import sample_session
from tests.screens.scripted import Play, ScriptedWalk


class StoppedClock:
    """A clock that stands still until it is told to go on."""

    zone: tzinfo | None = UTC

    def __init__(self) -> None:
        self._now = datetime(2026, 4, 29, 9, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def go_on(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def until(self, moment: datetime) -> None:
        raise NotImplementedError


@pytest.fixture
def wall_clock() -> StoppedClock:
    """The clock of the screens."""
    return StoppedClock()


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch, wall_clock: StoppedClock) -> None:
    monkeypatch.setattr(clock, "HOST", wall_clock)
    monkeypatch.setattr(clock, "TICK", 0.25)
    for name in [*os.environ]:
        if name in ("NO_COLOR", "COLORFGBG") or name.startswith("TEXTUAL"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Anna, Ben and Carl with a key each, all of them allowed."""
    (tmp_path / "keys").mkdir()
    made = Keys(tmp_path / "keys")
    for name, principal in PRINCIPALS.items():
        made.make(name)
        made.allow(principal, name)
    return made


_PATIENCE = 30
"""Rounds for a walk to come to its next question."""


class Svg(SingleFileSnapshotExtension):
    file_extension = "svg"
    _write_mode = WriteMode.TEXT


@dataclass
class Driven:
    """The application under test, with its walk."""

    app: RunbookApp
    pilot: Pilot[ExitCode]
    walks: list[ScriptedWalk]
    messages: list[str]
    """`repr` of every message of the application."""

    @property
    def walk(self) -> ScriptedWalk:
        return self.walks[0]

    async def press(self, *keys: str) -> None:
        """Press keys; a name in capitals after `text:` types the rest letter by letter."""
        for key in keys:
            if key.startswith("text:"):
                await self.pilot.press(*("space" if char == " " else char for char in key[5:]))
            else:
                await self.pilot.press(key)
            await self.settle()

    async def settle(self) -> None:
        """Until nothing more is going on: two rounds, as the walk may answer what the screen said.

        A walk that is still on its way to what it asks next is waited for; one that a test holds back is not for long.
        """
        for _ in range(3):
            await self.pilot.pause()
        for _ in range(_PATIENCE):
            if self._at_rest:
                break
            await self.pilot.pause(0.01)

    @property
    def _at_rest(self) -> bool:
        """Whether a person is asked, and keys reach what asks; or it is over."""
        run = getattr(self.app, "run_screen", None)
        if run is None or self.app.screen is not run:
            return self.app.focused is not None
        return run.moment is not None or bool(run.state.finished)

    async def until(self, shown: str) -> None:
        """Until the terminal shows it; live output is painted with the next frame."""
        async with asyncio.timeout(60):
            while shown not in self.screen:
                await self.pilot.pause(0.01)

    async def heard(self) -> None:
        """Until keys count again, after something has come up over a line that was typed in."""
        async with asyncio.timeout(60):
            while not self.app.typing.over:
                await self.pilot.pause(0.01)

    async def comes(self, kind: type[Screen[Any]]) -> None:
        """Until a screen of that class is in front."""
        async with asyncio.timeout(60):
            while not isinstance(self.app.screen, kind):
                await self.pilot.pause(0.01)

    async def paste(self, text: str) -> None:
        self.app.post_message(Paste(text))
        await self.settle()

    @property
    def screen(self) -> str:
        """What the terminal shows, as text."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


Drive = Callable[..., AbstractAsyncContextManager[Driven]]


@pytest.fixture
def drive() -> Drive:
    """`async with drive(size=(80, 24), rehearsal=True, A1_slots=play)`: the sample runbook on the screen."""

    @asynccontextmanager
    async def driven(
        size: tuple[int, int] = (80, 24),
        *,
        rehearsal: bool = False,
        history: RunState | None = None,
        moments: Mapping[str, Moment] | None = None,
        preferences: Preferences = DEFAULTS,
        **plays: Play,
    ) -> AsyncIterator[Driven]:
        session, walks = sample_session(rehearsal=rehearsal, history=history, moments=moments, **plays)
        app = RunbookApp(session, preferences)
        messages: list[str] = []

        def hook(message: Message) -> None:
            messages.append(repr(message))

        async with app.run_test(size=size, message_hook=hook) as pilot:
            driven = Driven(app, pilot, walks, messages)
            await driven.settle()
            yield driven

    return driven


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> Callable[[Driven, str], None]:
    """Compare what is on the screen with the picture of that name."""

    def compare(driven: Driven, name: str) -> None:
        assert driven.app.export_screenshot(simplify=True) == snapshot(name=name, extension_class=Svg)

    return compare
