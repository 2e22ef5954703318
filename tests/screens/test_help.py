"""The help: made from the bindings, for the place one is in, and searched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode

import screens
from runbook.help_texts import Chapter
from runbook.keys import DOINGS, names
from runbook.operator import PhraseRequest
from runbook.outcome import Outcome
from runbook.preferences import Preferences
from runbook.record import events as ev
from screens.app import RunbookApp
from screens.help.chapters import HERE, chapters
from screens.help.keys import KeyEntry
from screens.help.places import PROMPTS
from screens.help_screen import HelpScreen, HelpText
from screens.key_names import key_name, key_names
from screens.prompts.phrase import PhrasePrompt
from screens.prompts.pin import PinPrompt
from screens.prompts.prompt import Prompt
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import ATTEST, PIN, RUNBOOK, sample_session
from tests.screens.scripted import SAID, ScriptedWalk, asks
from tests.screens.test_pictures import both_sizes, readable

Picture = Callable[[Driven, str], None]

ABSENT = {"witness_screen:WitnessScreen"}
"""What is not told in the driver's help: the witness has a program of their own."""


def classes(base: type[DOMNode] = DOMNode) -> Iterator[type[DOMNode]]:
    for cls in base.__subclasses__():
        yield cls
        yield from classes(cls)


def ours() -> list[type[DOMNode]]:
    """Every screen, prompt and widget of ours."""
    for module in walk_packages(screens.__path__, "screens."):
        import_module(module.name)
    return [cls for cls in dict.fromkeys(classes()) if cls.__module__.startswith("screens.")]


def told(app: App[object]) -> dict[str, set[str]]:
    """What the help says of each key, by its name."""
    found: dict[str, set[str]] = {}
    for chapter in chapters(app, app.screen_stack[0]):
        for entry in chapter.entries:
            if isinstance(entry, KeyEntry):
                for name in entry.name.split():
                    found.setdefault(name, set()).add(entry.told)
    return found


def bindings() -> Iterator[tuple[str, Binding]]:
    """Ours, with the class they belong to."""
    for cls in ours():
        place = f"{cls.__module__.removeprefix('screens.')}:{cls.__qualname__}"
        for binding in cls.__dict__.get("BINDINGS", ()):
            if place not in ABSENT and binding.action != "nothing":
                yield place, binding


async def test_every_key_of_ours_is_told(drive: Drive) -> None:
    async with drive() as d:
        known = told(d.app)
        for place, binding in bindings():
            doing = DOINGS[binding.id]
            for name in key_names(names(binding.key)):
                assert doing.told in known.get(name, ()), f"{place}: {name} ({binding.id}) is not in the help"


def test_everything_that_a_key_does_is_told_in_words() -> None:
    assert not [name for name, doing in DOINGS.items() if not doing.told]


def test_every_prompt_is_told() -> None:
    listed = {place.load() for place in PROMPTS}
    for cls in ours():
        if issubclass(cls, Prompt) and cls is not Prompt and not any(issubclass(cls, place) for place in listed):
            pytest.fail(f"{cls} is not in the help")


async def test_keys_that_were_rebound_are_told_as_they_are() -> None:
    session, _ = sample_session()
    app = RunbookApp(session, Preferences(keys={"run.continue": "f5", "list.down": "ctrl+y"}))
    async with app.run_test() as pilot:
        await pilot.pause()
        known = told(app)
        assert DOINGS["run.continue"].told in known["F5"]
        assert DOINGS["run.continue"].told not in known.get("c", ())
        assert DOINGS["list.down"].told in known["Ctrl+Y"]
        assert DOINGS["list.down"].told not in known["j"]


async def test_no_key_that_is_told_as_working_does_nothing(drive: Drive) -> None:
    async with drive() as d:
        told_as_working = [
            name
            for chapter in chapters(d.app, d.app.screen)
            if chapter.title.startswith(HERE)
            for entry in chapter.entries
            if isinstance(entry, KeyEntry) and entry.now
            for name in entry.name.split()
        ]
        active = {key_name(key) for key, one in d.app.screen.active_bindings.items() if one.enabled}
        assert len(told_as_working) > 10
        assert set(told_as_working) <= active
        assert "t" not in told_as_working, "there is nothing to try again"
        assert "r" in told_as_working


def here(chapters_: list[Chapter]) -> list[str]:
    return [chapter.title.removeprefix(HERE) for chapter in chapters_ if chapter.title.startswith(HERE)]


async def test_the_place_one_is_in_comes_first(drive: Drive) -> None:
    async with drive() as d:
        assert here(chapters(d.app, d.app.screen))[0] == "the list of steps"
        await d.press("tab")
        assert here(chapters(d.app, d.app.screen))[0] == "the page of a step"
        await d.press("question_mark")
        assert "Here: the page of a step" in d.screen.splitlines()[3]


async def test_no_place_is_told_twice(drive: Drive) -> None:
    async with drive() as d:
        titles = [chapter.title.removeprefix(HERE).lower() for chapter in chapters(d.app, d.app.screen)]
        assert len(titles) == len(set(titles)), titles


async def test_help_over_a_pin_prompt_keeps_what_was_typed(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", "text:123", "f1")
        assert isinstance(d.app.screen, HelpScreen)
        assert "Here: a PIN" in d.screen
        assert "Sent once" in d.screen
        await d.press("j", "slash", "text:gate", "escape", "escape")
        assert isinstance(d.app.screen, PinPrompt)
        await d.press("text:456", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"123456"], "nothing was lost, and nothing added"


async def test_a_question_mark_is_typed_text_in_a_prompt(drive: Drive) -> None:
    async with drive(P_people=asks("type_phrase", PhraseRequest("Sure?", "sure?"))) as d:
        await d.press("r", "text:sure?")
        assert isinstance(d.app.screen, PhrasePrompt)
        await d.press("f1", "f1", "enter")
        assert d.walk.answers == [True]


async def test_help_over_a_checklist_tells_its_keys(drive: Drive) -> None:
    async with drive((120, 40), P_people=asks("attest", ATTEST)) as d:
        await d.press("r", "f1")
        assert "Here: statements to confirm" in d.screen
        assert "it is so" in d.screen
        await d.press("escape")
        assert not d.walk.answers


async def test_it_narrows_as_one_types(drive: Drive) -> None:
    async with drive((120, 40)) as d:
        await d.press("question_mark", "slash", "text:doubt probe")
        lines = d.screen
        assert "in doubt" in lines
        assert "the next stage" not in lines
        assert "dongle" not in lines
        await d.press("text: xyzzy")
        assert "Nothing in the help says that" in d.screen
        await d.press("escape")
        assert "the next stage" in d.screen, "all of it again"
        await d.press("escape")
        assert d.app.screen is d.app.run_screen


async def test_it_scrolls_with_vim_and_arrow_keys(drive: Drive) -> None:
    async with drive() as d:
        await d.press("question_mark")
        text = d.app.screen.query_one(HelpText)
        seen = [text.scroll_y]
        for key in ("down", "j", "pagedown", "space", "G", "g", "end", "home"):
            await d.press(key)
            seen.append(text.scroll_y)
        assert seen[:3] == [0, 1, 2]
        assert seen[2] < seen[3] < seen[4] < seen[5]
        assert seen[6:] == [0, seen[5], 0]
        await d.press("j", "k", "down", "up")
        assert text.scroll_y == 0


async def test_the_kinds_of_the_runbook_are_told(drive: Drive) -> None:
    async with drive((120, 40)) as d:
        await d.press("question_mark", "slash", "text:check used by")
        await d.until("used by A1.slots")
        assert "symptoms, told where" in d.screen
        await d.press("escape", "slash", "text:check git.clean")
        await d.until("There are changes or new files")


async def test_help_is_not_opened_twice(drive: Drive) -> None:
    async with drive() as d:
        await d.press("f1" if "f1" in d.app.screen.active_bindings else "question_mark")
        assert len(d.app.screen_stack) == 2
        await d.app.action_help()
        await d.settle()
        assert len(d.app.screen_stack) == 2


async def test_a_prompt_over_the_help_is_never_taken_away_by_it(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("question_mark")
        opened = d.app.screen
        d.app.run_screen.action_decide("run")
        await d.comes(PinPrompt)
        opened.dismiss(None)
        await d.settle()
        assert isinstance(d.app.screen, PinPrompt)
        await d.heard()
        await d.press("text:123456", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"123456"]
        assert d.app.screen is d.app.run_screen, "it was closed, and is once the prompt has gone"


async def test_a_note_that_is_written_as_a_prompt_comes_up_takes_no_prompt_away(drive: Drive) -> None:
    begin = asyncio.Event()

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await begin.wait()
        walk.answers.append(await walk.operator.pin(PIN))
        return Outcome.passed("answered", SAID)

    async with drive(P_people=play) as d:
        await d.press("r", "n", "text:a note")
        note = d.app.screen
        begin.set()
        await d.comes(PinPrompt)
        note.dismiss("a note")
        await d.settle()
        assert isinstance(d.app.screen, PinPrompt)
        await d.heard()
        await d.press("text:123456", "enter")
        assert [pin.reveal() for pin in d.walk.answers] == [b"123456"]
        assert [event.text for event in d.walk.seen if isinstance(event, ev.NoteAdded)] == ["a note"]
        assert d.app.screen is d.app.run_screen


def test_the_sample_has_what_the_tests_need() -> None:
    assert RUNBOOK.step("A1.slots").kind == "slots"
    assert Path(screens.__file__ or "").is_file()


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["r", "R", "enter"], ("r", "Enter")),
        (["g", "G"], ("g",)),
        (["G"], ("G",)),
        (["slash", "right_square_bracket", "full_stop", "question_mark"], ("/", "]", ".", "?")),
        (["ctrl+p", "colon", "f1", "pagedown"], ("Ctrl+P", ":", "F1", "PgDn")),
        (["up", "shift+tab", "space", "exclamation_mark"], ("↑", "Shift+Tab", "Space", "!")),
    ],
)
def test_names_of_keys(keys: list[str], shown: tuple[str, ...]) -> None:
    assert key_names(keys) == shown


@both_sizes
async def test_help_on_the_run(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("question_mark")
        readable(d)
        picture(d, "run")


@both_sizes
async def test_help_on_a_pin(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, P_people=asks("pin", PIN)) as d:
        await d.press("r", "text:12", "f1")
        readable(d)
        picture(d, "pin")


@both_sizes
async def test_help_that_is_searched(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("tab", "question_mark", "slash", "text:paper_f")
        await d.until("check paper_fingerprint")
        readable(d)
        picture(d, "searched")
