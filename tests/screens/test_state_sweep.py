"""Every screen in every state at every size: a picture of all screens for each state and size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from syrupy.assertion import SnapshotAssertion
from textual.strip import Strip

from runbook.event import Event
from runbook.operator import PinRequest
from runbook.outcome import Outcome
from runbook.probing import Answer, Probed
from runbook.record import events as ev
from runbook.record.runlock import Holder
from screens.widgets.panels import Panels
from tests.screens.conftest import Drive, Driven, StoppedClock, Svg
from tests.screens.gallery import picture
from tests.screens.gate_samples import CUT_OFF, FILES, LEFT, NO_RETURN, doubt
from tests.screens.samples import EVIDENCE, PIN, TOKEN
from tests.screens.scripted import SAID, asks, ends
from tests.screens.test_pictures import LAST_TRY, RED, readable
from tests.screens.test_rollback_screens import rolling_back
from tests.screens.witnessed import witnessed

SIZES = [(80, 24), (120, 40), (200, 60)]
STATES = ["green", "red", "waiting", "in doubt"]

Screens = AbstractAsyncContextManager[Driven]
Plays = Mapping[str, Any]
Keys = Sequence[str]


@dataclass
class Place:
    """Where the screens are shown: the size, and what they need."""

    size: tuple[int, int]
    drive: Drive
    folder: Path
    clock: StoppedClock

    @asynccontextmanager
    async def _driven(self, plays: Plays, keys: Keys) -> AsyncIterator[Driven]:
        async with self.drive(self.size, rehearsal=True, **plays) as d:
            await d.press(*keys)
            yield d

    def run(self, state: str) -> Screens:
        """The run screen."""
        plays, keys = {
            "green": ({}, ["c"]),
            "red": ({"A1_slots": RED}, ["c"]),
            "waiting": ({}, ["r", "r"]),
            "in doubt": ({"A1_slots": ends(CUT_OFF)}, ["c"]),
        }[state]
        return self._driven(plays, keys)

    def point_of_no_return(self, state: str) -> Screens:
        """Before what cannot be undone."""
        held = replace(NO_RETURN, conditions=tuple(replace(one, holds=True) for one in NO_RETURN.conditions))
        partly = replace(held, probed=Probed(Answer.PARTLY, Outcome.failed("the volume holds 2 files", FILES)))
        request, keys = {
            "green": (held, ["shift+tab", f"text:{NO_RETURN.phrase}", "enter"]),
            "red": (NO_RETURN, ["shift+tab", "text:WIPE ccat_ca"]),
            "waiting": (held, []),
            "in doubt": (partly, ["pagedown"]),
        }[state]
        return self._driven({"P_people": asks("point_of_no_return", request)}, ["r", *keys])

    def pin(self, state: str) -> Screens:
        """The PIN prompt."""
        unknown = PinRequest(TOKEN, "user PIN", PIN.purpose, None, None, (), 6, 15)
        request, keys = {
            "green": (PIN, ["text:648219"]),
            "red": (LAST_TRY, ["text:12345", "enter"]),
            "waiting": (PIN, []),
            "in doubt": (unknown, []),
        }[state]
        return self._driven({"P_people": asks("pin", request)}, ["r", *keys])

    def resumed(self, state: str) -> Screens:
        """A run that was left while a step was at work."""
        left = {"history": LEFT, "moments": {"A1.slots": doubt(Answer.PARTLY)}}
        settled = ["d", "text:seen on site", "enter"]
        plays, keys = {
            "green": (left, [*settled, "c"]),
            "red": (
                {**left, "A3_sign": ends(Outcome.failed("no signature", *EVIDENCE["sign_test"][1:]))},
                [*settled, "c"],
            ),
            "waiting": (left, settled),
            "in doubt": (left, []),
        }[state]
        return self._driven(plays, keys)

    @asynccontextmanager
    async def rolled_back(self, state: str) -> AsyncIterator[Driven]:
        """A run that is undone."""
        undone = ends(Outcome.passed("the new CA is down", SAID))
        last = {
            "green": undone,
            "red": ends(Outcome.failed("the new CA is still up", SAID)),
            "waiting": undone,
            "in doubt": ends(CUT_OFF),
        }[state]
        async with rolling_back(self.size, G5_up_undo=last) as d:
            goes_on = ["c", "r", "c"]  # once more before what cannot be undone
            await d.press("r", *([] if state == "waiting" else [*["space", "down"] * 4, "enter", *goes_on]))
            yield d

    @asynccontextmanager
    async def witness(self, state: str) -> AsyncIterator[Driven]:
        """The witness's screen."""
        began = ev.StepStarted("A1.slots", 1, "slots", {})
        events: dict[str, tuple[Event, ...]] = {
            "green": (began, ev.StepFinished("A1.slots", 1, Outcome.passed("one token", EVIDENCE["slots"][0]))),
            "red": (began, ev.StepFinished("A1.slots", 1, Outcome.failed("another token", EVIDENCE["slots"][1]))),
            "waiting": (began,),
            "in doubt": (began, ev.StepFinished("A1.slots", 1, CUT_OFF)),
        }
        async with witnessed(self.folder, self.size, *events[state], rehearsal=True) as d:
            await d.until("◉ live")
            await d.until("anna on input-b drives")
            if state == "waiting":
                await d.driver.ask(self.clock.now())
                await d.until("Your approval is asked")
            yield d


SCREENS: dict[str, Callable[[Place, str], Screens]] = {
    "run": Place.run,
    "point of no return": Place.point_of_no_return,
    "PIN prompt": Place.pin,
    "resumed run": Place.resumed,
    "rolled-back run": Place.rolled_back,
    "witness": Place.witness,
}


@pytest.fixture
def place(drive: Drive, tmp_path: Path, wall_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> Place:
    """What the witness's record draws by chance or from the clock stands still: nonce, salts, head, code and times."""
    monkeypatch.setattr("runbook.record.journal.now", lambda: "2026-04-29T09:10:00.000000Z")
    monkeypatch.setattr("runbook.people.following.LOOK", 0.05)
    monkeypatch.setattr("secrets.token_hex", lambda count=16: "0" * 2 * count)
    monkeypatch.setattr("runbook.people.following.Following.head", "0001 C0DE 9A7F 07C1 3F9A")
    monkeypatch.setattr("runbook.people.following.Following.head_asked", "0001 C0DE 9A7F 07C1 3F9A")
    monkeypatch.setattr("runbook.people.following.Following.code", "3F9A 07C1")
    monkeypatch.setattr("runbook.people.following.holder", lambda _folder: Holder("anna", "input-b", 7, ""))
    return Place((80, 24), drive, tmp_path, wall_clock)


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
@pytest.mark.parametrize("state", STATES)
async def test_every_screen(place: Place, snapshot: SnapshotAssertion, size: tuple[int, int], state: str) -> None:
    shown_so: list[Sequence[Strip]] = []
    for name, shown in SCREENS.items():
        async with shown(replace(place, size=size), state) as d:
            await at_rest(d)
            readable(d)
            shown_so.append([caption(name, size[0]), *d.app.screen._compositor.render_strips(d.app.size)])
    assert picture(shown_so, size[0], grounds=True) == snapshot(extension_class=Svg)


async def at_rest(d: Driven) -> None:
    """Until the panels, which are drawn some time after something has happened, have it all."""
    for screen in d.app.screen_stack:
        for panels in screen.query(Panels):
            if panels.display:
                panels.facts.flush()
                panels.journal.flush()
    await d.settle()


def caption(name: str, width: int) -> Strip:
    """A line above a screen that says which it is."""
    return Strip([Segment(f"── {name} ".ljust(width, "─"), Style.parse("bold #a8b2bd on #0d1117"))])
