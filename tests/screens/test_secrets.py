"""What is typed as a secret is nowhere but in the answer."""

from __future__ import annotations

import os

import pytest
from textual.widgets import Input

from runbook.operator import PinRequest
from runbook.outcome import Outcome
from runbook.secrets import MASK, Secret
from screens.app import RunbookApp
from screens.main import quiet_environment
from screens.prompts.secret_entry import SecretEntry
from tests.screens.conftest import Drive
from tests.screens.samples import PIN, sample_session
from tests.screens.scripted import ScriptedWalk, asks

SENTINEL = "739184206"


@pytest.mark.parametrize("keys", [["ctrl+c"], ["ctrl+x"], ["home", "shift+end", "ctrl+c"], ["super+c"]])
async def test_no_key_copies_it(drive: Drive, keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(RunbookApp, "copy_to_clipboard", lambda _, text: copied.append(text))
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", f"text:{SENTINEL}", *keys)
        assert copied == []
        assert d.app.clipboard == ""
        await d.press("enter")
        assert d.walk.answers[0].equals(Secret.from_text(SENTINEL)), "and it is not cut away either"


async def test_it_is_in_no_frame_message_repr_or_description(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r")
        frames = []
        for character in SENTINEL:
            await d.press(character)
            frames += [d.screen, d.app.export_screenshot(simplify=True)]
        entry = d.app.screen.query_one(SecretEntry)
        reprs = [repr(entry), repr(entry.render()), repr(d.app.screen), repr(d.app.focused), repr(entry.tooltip)]
        await d.press("enter")
        workers = [f"{worker!r} {worker.description}" for worker in d.app.workers]
        everything = "\n".join([*frames, *reprs, *workers, *d.messages, repr(d.walk.answers), repr(d.walk.seen)])
        assert SENTINEL not in everything
        assert SENTINEL[:4] not in everything
        assert MASK in frames[0]
        assert "the run" in workers[0]


async def test_nothing_of_it_stays_in_the_entry(drive: Drive) -> None:
    for leaving in ("enter", "escape", "ctrl+u"):
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r", f"text:{SENTINEL}")
            entry = d.app.screen.query_one(SecretEntry)
            buffer = entry._typed
            assert bytes(buffer).rstrip(b"\0") == SENTINEL.encode()
            await d.press(leaving)
            assert not any(buffer), leaving
            assert entry.empty


async def test_the_answer_does_not_show_itself(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", f"text:{SENTINEL}", "enter")
        assert SENTINEL not in repr(d.walk.answers) + str(d.walk.answers[0]) + f"{d.walk.answers[0]:>20}"


async def test_pasted_text_is_not_taken_and_not_shown(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r")
        await d.paste(SENTINEL)
        assert SENTINEL not in d.screen
        assert "Nothing can be pasted" in d.screen


@pytest.mark.parametrize("where", ["walk", "widget"])
async def test_a_crash_names_places_and_no_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A defect while a PIN is known: neither locals nor the exception's own words are printed."""

    def explode(*_: object) -> None:
        pin = SENTINEL
        raise ValueError(f"cannot use {pin}")

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        answer = await walk.operator.pin(PIN)
        typed = answer.reveal_text()
        explode(typed)
        raise AssertionError

    session, _ = sample_session(P_people=play)
    app = RunbookApp(session)
    if where == "widget":
        monkeypatch.setattr(SecretEntry, "take", explode)
    with pytest.raises(Exception, match="cannot use"):
        await _type_it(app)
    said = "".join(capsys.readouterr())
    assert "The program has a defect: ValueError" in said
    assert "in explode" in said
    assert str(session.run_folder) in said
    assert SENTINEL not in said
    assert "cannot use" not in said


async def _type_it(app: RunbookApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("r", *SENTINEL, "enter")
        await pilot.pause()
        await pilot.pause()


def test_textual_is_not_told_to_log_keys_take_pictures_or_press_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ("TEXTUAL", "TEXTUAL_DEBUG", "TEXTUAL_LOG", "TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_DRIVER")
    for name in (*bad, "TEXTUAL_DEVTOOLS_HOST", "TEXTUAL_COLOR_SYSTEM", "TERM"):
        monkeypatch.setenv(name, "1")
    quiet_environment()
    assert not [name for name in bad if name in os.environ]
    assert "TEXTUAL_DEVTOOLS_HOST" not in os.environ
    assert os.environ["TEXTUAL_COLOR_SYSTEM"] == os.environ["TERM"] == "1"


async def test_no_prompt_for_a_secret_has_an_input(drive: Drive) -> None:
    """Textual's Input copies, suggests, and shows its value in the repr of its messages."""
    async with drive(P_people=asks("pin", PinRequest("t", "SO-PIN", "unlock", 3, 3, (), 6, 15))) as d:
        await d.press("r")
        assert not d.app.screen.query(Input)


async def test_there_is_no_suspend_key(drive: Drive) -> None:
    async with drive() as d:
        bound = {key for key, _ in d.app._bindings} | {key for key, _ in d.app.run_screen._bindings}
        assert "ctrl+z" not in bound
