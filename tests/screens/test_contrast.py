"""Whatever is shown can be read in every look: each text has 4.5 to 1 with its ground, signs too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from pkgutil import walk_packages
from threading import Event

import pytest
from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import Toast

import screens
from runbook.copying import Copyable
from runbook.errors import ExitCode, UsageError
from runbook.glance import Glance
from runbook.operator import Decision, Moment
from runbook.outcome import Outcome
from runbook.preferences import Preferences, ThemeName
from runbook.probing import Answer
from runbook.ran import CommandRan
from runbook.record.events import FactEstablished, NoteAdded, StepProgress, StepSkipped
from runbook.record.gate_events import ApprovalAsked
from runbook.record.state import Status
from runbook.run.session import Session
from screens.app import RunbookApp
from screens.base_app import BaseApp
from screens.clipboard import CopyPrompt
from screens.evidence import pane_for
from screens.help_screen import HelpScreen
from screens.opening import Opening, OpeningScreen
from screens.palette.palette import Palette
from screens.prompts.approval import ApprovalPrompt, Question
from screens.prompts.attest import AttestPrompt
from screens.prompts.checklist import ChecklistPrompt
from screens.prompts.choice import ChoicePrompt
from screens.prompts.compare import ComparePrompt
from screens.prompts.confirm import ConfirmPrompt
from screens.prompts.line import LinePrompt
from screens.prompts.phrase import PhrasePrompt
from screens.prompts.pin import PinPrompt
from screens.prompts.point_of_no_return import PointOfNoReturnPrompt
from screens.prompts.quit import QuitPrompt
from screens.prompts.reason import ReasonPrompt
from screens.prompts.secret import SecretPrompt
from screens.prompts.transcribe import TranscribePrompt
from screens.prompts.witness import WitnessPrompt
from screens.run_screen import RunScreen
from screens.theme import OWN, theme_for
from screens.too_small import TooSmall
from screens.widgets.next_bar import NextBar, Turn
from screens.widgets.witness_bar import Watch, WitnessBar
from screens.witness_screen import WitnessScreen
from tests.screens.contrast import DARK_PALETTES, LIGHT_PALETTES, unreadable, unreadable_in
from tests.screens.every_state import HISTORY, every_state
from tests.screens.gate_samples import NO_RETURN, WITNESS, doubt
from tests.screens.host_samples import HOST_EVIDENCE
from tests.screens.people_samples import AGAIN
from tests.screens.samples import ATTEST, EVIDENCE, PAPER, PIN, RUNBOOK
from tests.screens.scripted import started
from tests.screens.test_pictures import LAST_TRY
from tests.screens.test_prompts import CHOICE, COMPARE, CONFIRM, PHRASE, SECRET, SERIAL

Look = tuple[ThemeName, str]
"""A theme, and what COLORFGBG says."""

LOOKS: list[Look] = [
    (ThemeName.DARK, ""),
    (ThemeName.LIGHT, ""),
    (ThemeName.CONTRAST, ""),
    (ThemeName.TERMINAL, "15;0"),
    (ThemeName.TERMINAL, "0;15"),
]

SCREENS: dict[str, Callable[[], Screen[object]]] = {
    "opening": lambda: OpeningScreen(GLANCE),
    "witness's": lambda: WitnessScreen(RUNBOOK, started(RUNBOOK, rehearsal=True)),
    "copy": lambda: CopyPrompt(
        "A1", (Copyable("head", "the head", HEAD), Copyable("output", "what it said", "one\ntwo"))
    ),
    "pin": lambda: PinPrompt(PIN),
    "last pin": lambda: PinPrompt(LAST_TRY),
    "secret": lambda: SecretPrompt(SECRET),
    "confirm": lambda: ConfirmPrompt(CONFIRM),
    "choice": lambda: ChoicePrompt(CHOICE),
    "phrase": lambda: PhrasePrompt(PHRASE),
    "compare": lambda: ComparePrompt(COMPARE),
    "paper": lambda: TranscribePrompt(PAPER),
    "serial": lambda: TranscribePrompt(SERIAL),
    "attest": lambda: AttestPrompt(ATTEST),
    "checklist": lambda: ChecklistPrompt(AGAIN),
    "line": lambda: LinePrompt("Note", "A note on A1", "It is kept.", ""),
    "reason": lambda: ReasonPrompt("A1", Decision.SKIP),
    "quit": lambda: QuitPrompt("A1"),
    "witness": lambda: WitnessPrompt(WITNESS),
    "approval": lambda: ApprovalPrompt(Question(ASKED, "A step", "3F9A 07C1", HEAD, "~/.ssh/id", "not your key")),
    "point of no return": lambda: PointOfNoReturnPrompt(NO_RETURN),
}


HEAD = "0008 C0DE 9A7F 07C1 3F9A"
GLANCE = Glance("x", "A title", (("A", "States", (("A0", "A step"),)),), "check slots", "A goal.", "here", True)
HAPPENED = (
    FactEstablished("closed", "A4"),
    NoteAdded("A0", "the lamp is on"),
    StepProgress("A0", "a line that it said"),
    CommandRan("A0", "pkcs11-tool -L", "input-b", False, "/srv", 0, {"LANG": "C"}),
    CommandRan("A0", "false", "local", True, "", 1, {}),
    StepSkipped("A8", "the drill is over"),
)


TURNS = (
    Turn(HISTORY, Moment("A0", "A step")),
    Turn(HISTORY, Moment("A1", "A step", unmet=("the window is not open",), opens="2026-04-29T10:00:00Z")),
    Turn(HISTORY, Moment("A6", "A step", outcome=Outcome.failed("another token"), hints=("Likely: it is another",))),
    *(Turn(HISTORY, doubt(answer)) for answer in (*Answer, None)),
    Turn(HISTORY, continuing=True),
    Turn(replace(HISTORY, at="A3")),
    *(Turn(replace(HISTORY, finished=end), head=HEAD) for end in ("green", "failed", "stopped")),
)
WATCHES = (
    Watch(HISTORY, HEAD),
    Watch(HISTORY, HEAD, live=True, me="berta", driven="anna on input-b", said="Your note is left for the record."),
    Watch(HISTORY, HEAD, True, "berta", "anna", "A3", "3F9A 07C1", "2026-04-29T09:24:30.000000Z"),
    *(Watch(replace(HISTORY, finished=end), HEAD, live=True) for end in ("green", "failed", "stopped")),
)
ASKED = ApprovalAsked("A3", "00", "00", "n", "", "2026-04-29T09:24:30.000000Z", ("docker volume rm x",))


class Sheet(BaseApp):
    """Widgets one below the other, or nothing: something to show screens over."""

    CSS = "Pane { height: auto; }"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__(Path("/nowhere"), Preferences(), in_rehearsal=True)
        self._widgets = widgets

    @property
    def code(self) -> ExitCode:
        return ExitCode.GREEN

    def compose(self) -> ComposeResult:
        yield VerticalScroll(*self._widgets)


def panes() -> Iterator[Widget]:
    """Everything that can be found, and what is said under it."""
    for turn in TURNS:
        (bar := NextBar()).show(turn)
        yield bar
    for watch in WATCHES:
        (watching := WitnessBar()).show(watch)
        yield watching
    for evidence in chain.from_iterable((EVIDENCE | HOST_EVIDENCE).values()):
        pane = pane_for(evidence)
        pane.pictures = True
        yield pane


def strips(app: BaseApp) -> list[Strip]:
    """What is on the screen in front; what lies behind a dialog is not meant to be read."""
    dialogs = app.screen.query("#dialog, #--container")
    x, y, width, height = next((dialog.region for dialog in dialogs), app.screen.region)
    drawn = app.screen._compositor.render_strips(app.size)[y : y + height]
    return [strip.crop(x, x + width) for strip in drawn]


def faults(app: BaseApp, look: Look) -> Iterator[str]:
    if look[0] is not ThemeName.TERMINAL:
        yield from unreadable(strips(app), 7 if look[0] is ThemeName.CONTRAST else 4.5)
    else:
        yield from unreadable_in(strips(app), LIGHT_PALETTES if app.theme == "terminal-light" else DARK_PALETTES)


async def change_look(pilot: Pilot[ExitCode], look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the palette does it, while it runs."""
    assert isinstance(pilot.app, BaseApp)
    monkeypatch.setenv("COLORFGBG", look[1])
    pilot.app.set_theme(look[0])
    for _ in range(2):  # styles, then what is drawn with them
        await pilot.pause()


async def in_every_look(pilot: Pilot[ExitCode], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Change the look while it runs, and say what cannot be read."""
    app, found = pilot.app, []
    assert isinstance(app, BaseApp)
    for look in LOOKS:
        await change_look(pilot, look, monkeypatch)
        found += [f"{app.theme}: {fault}" for fault in faults(app, look)]
    return found


async def test_every_pane_can_be_read_in_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Sheet(*panes())
    async with app.run_test(size=(120, 2_000)) as pilot:
        await pilot.pause()
        assert not await in_every_look(pilot, monkeypatch)
        assert app.screen.query("Pane").last().region.bottom < app.size.height, "all of them were seen"


async def test_every_state_can_be_read_in_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RunbookApp(every_state())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        found = []
        for look in LOOKS:
            await change_look(pilot, look, monkeypatch)
            await pilot.press("home")
            for _ in Status:
                found += [f"{app.theme}: {fault}" for fault in faults(app, look)]
                await pilot.press("down")
        await pilot.press("tab")
        found += await in_every_look(pilot, monkeypatch)
        assert not found
        assert app.run_screen.shown == "A10"


async def test_every_screen_can_be_read_in_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Sheet()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        found = []
        for look in LOOKS:
            await change_look(pilot, look, monkeypatch)
            for name, screen in SCREENS.items():
                await app.push_screen(screen())
                await pilot.pause()
                found += [f"{app.theme}, {name}: {fault}" for fault in faults(app, look)]
                app.pop_screen()
        assert not found


async def test_the_help_can_be_read_in_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RunbookApp(every_state())
    async with app.run_test(size=(120, 200)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        assert not await in_every_look(pilot, monkeypatch)


async def test_panels_search_palette_and_notices_can_be_read_in_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RunbookApp(every_state())
    async with app.run_test(size=(200, 60), notifications=True) as pilot:
        await pilot.pause()
        for event in HAPPENED:
            app.run_screen.take(event, HEAD)
        await pilot.press("o", "x")
        found = await in_every_look(pilot, monkeypatch)
        await pilot.press("slash", *"step")
        found += await in_every_look(pilot, monkeypatch)
        await pilot.press("enter", "right_square_bracket")
        found += await in_every_look(pilot, monkeypatch)
        app.tell("it is copied")
        app.tell("it cannot be copied", error=True)
        while len(app.screen.query(Toast)) < 2:
            await pilot.pause(0.01)
        found += await in_every_look(pilot, monkeypatch)
        await pilot.press("colon", *"step")
        await pilot.pause(0.3)
        found += await in_every_look(pilot, monkeypatch)
        assert not found


async def test_the_notice_that_there_is_too_little_room_hides_all_else_in_every_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = RunbookApp(every_state())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert not await in_every_look(pilot, monkeypatch)
        assert app.theme == "terminal-light"
        shown = " ".join(strip.text for strip in strips(app))
        assert "This terminal is too small." in shown
        assert "A step that is" not in shown


async def test_the_opening_can_be_read_before_the_style_is(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Event()

    def begin() -> Session:
        read.wait(60)
        raise UsageError("there is nothing to read")

    app = RunbookApp(Opening(GLANCE, begin))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        found = await in_every_look(pilot, monkeypatch)
        assert isinstance(app.screen, OpeningScreen)
        read.set()
    assert not found


ELSEWHERE = {RunScreen, Palette, HelpScreen, TooSmall}
"""Read in tests of their own."""


def test_no_screen_is_left_out() -> None:
    for module in walk_packages(screens.__path__, "screens."):
        import_module(module.name)
    there, look_at = set[type[Screen[object]]](), [Screen]
    while look_at:
        for cls in look_at.pop().__subclasses__():
            look_at.append(cls)
            if cls.__module__.startswith("screens.") and not cls.__subclasses__():
                there.add(cls)
    assert there - ELSEWHERE <= {type(make()) for make in SCREENS.values()} | {LinePrompt}


def test_every_look_sets_our_own_variables() -> None:
    for name in ThemeName:
        for ground in ("15;0", "0;15"):
            theme = theme_for(name, {"COLORFGBG": ground}, few_colours=False)
            assert set(OWN) <= set(theme.variables), theme.name
