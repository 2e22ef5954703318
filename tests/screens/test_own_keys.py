"""Keys of one's own: they do what they are for, ours no longer do, and what shared a key with them keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from textual.binding import Binding, BindingsMap

from runbook.preferences import Preferences
from screens.app import RunbookApp
from screens.keys import rebound
from tests.screens.conftest import Driven
from tests.screens.samples import sample_session


@asynccontextmanager
async def driven_with(keys: Mapping[str, str]) -> AsyncIterator[Driven]:
    session, walks = sample_session()
    app = RunbookApp(session, Preferences(keys=keys))
    async with app.run_test(size=(140, 60)) as pilot:
        one = Driven(app, pilot, walks, [])
        await one.settle()
        yield one


def keys_of(bindings: BindingsMap) -> dict[str, list[str | None]]:
    return {key: [binding.id for binding in there] for key, there in bindings.key_to_bindings.items()}


def test_what_shares_a_key_keeps_it() -> None:
    ours = BindingsMap([Binding("escape", "pause", id="a"), Binding("escape,x", "end", id="b"), Binding("y", "other")])
    mine = keys_of(rebound(ours, {"a": "f9,f10"}))
    assert mine == {"f9": ["a"], "f10": ["a"], "escape": ["b"], "x": ["b"], "y": [None]}
    assert keys_of(ours) == {"escape": ["a", "b"], "x": ["b"], "y": [None]}, "the class keeps its own"


def test_two_can_change_their_keys() -> None:
    ours = BindingsMap([Binding("x", "one", id="a"), Binding("y", "other", id="b")])
    assert keys_of(rebound(ours, {"a": "y", "b": "x"})) == {"y": ["a"], "x": ["b"]}


async def test_ours_no_longer_does_it_and_theirs_does() -> None:
    async with driven_with({"step.run": "f5"}) as d:
        assert "F5 run" in d.screen
        await d.press("r", "enter")
        assert d.walk.decided == []
        await d.press("f5")
        assert [decided.decision for decided in d.walk.decided] == ["run"]


async def test_what_is_typed_is_never_an_order() -> None:
    async with driven_with({"run.continue": "z"}) as d:
        await d.press("slash", "z", "z")
        assert d.walk.decided == []
        await d.press("escape", "n", "z", "z")
        assert d.walk.decided == []
        await d.press("escape", "z")
        assert len(d.walk.decided) > 1


async def test_what_is_said_of_a_key_says_theirs() -> None:
    async with driven_with({"step.commands": "f7", "journal.commands": "f8"}) as d:
        await d.press("f7")
        await d.until("what it does, exactly; F7 folds it")
        await d.press("v")
        await d.until("F8 shows only commands")


async def test_the_help_shows_them() -> None:
    async with driven_with({"run.continue": "f6,z", "run.note": "c"}) as d:
        await d.press("question_mark")
        await d.until("F6 z")
        lines = [line.split() for line in d.screen.splitlines()]
        told = {" ".join(line[1:3]): line for line in lines if len(line) > 3}
        assert "F6 z" in told
        assert any(line[1:2] == ["c"] and "note" in line for line in lines)
