"""The menu of what can be copied, which a prompt never opens, and what can be decided while a shell is open."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable

import pytest

from runbook.operator import TerminalRequest
from runbook.outcome import Outcome
from runbook.record.events import StepFinished, StepProgress, StepStarted
from screens.clipboard import CopyPrompt
from screens.prompts.pin import PinPrompt
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import PIN, pair
from tests.screens.scripted import ScriptedWalk, asks

SENTINEL = "739184206"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the terminal was sent for the clipboard."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    found: list[str] = []
    monkeypatch.setattr("screens.base_app.BaseApp.write_to_terminal", lambda _, text: found.append(text))
    return found


async def _compares(walk: ScriptedWalk, step: str) -> Outcome:
    walk.say(StepProgress(step, "looking"))
    return Outcome.failed("the two differ", pair(right="00" * 32))


async def chosen(driven: Driven, name: str) -> None:
    """Copy that one."""
    await driven.press("y")
    await until(driven, lambda: isinstance(driven.app.screen, CopyPrompt))
    menu = driven.app.screen
    assert isinstance(menu, CopyPrompt)
    place = [one.name for one in menu._offered].index(name)
    await driven.press(*["down"] * place, "enter")


async def until(driven: Driven, so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not so():
            await driven.pilot.pause(0.01)


def text_of(sequence: str) -> str:
    match = re.fullmatch(r"\x1b\]52;c;(.*)\a", sequence)
    assert match is not None
    return base64.b64decode(match.group(1)).decode()


async def test_what_is_chosen_goes_to_the_terminal(
    drive: Drive, sent: list[str], picture: Callable[[Driven, str], None]
) -> None:
    async with drive(P_people=_compares) as driven:
        await driven.press("r")
        await driven.press("y")
        await until(driven, lambda: isinstance(driven.app.screen, CopyPrompt))
        await driven.settle()
        picture(driven, "copy-menu")
        await driven.press("escape")
        assert sent == []
        for name in ("SPKI SHA-256 in the file", "what it said while it ran", "the journal's head"):
            await chosen(driven, name)
            await until(driven, lambda: bool(sent))
            text = text_of(sent.pop())
            assert text == {"SPKI": "00" * 32, "what": "looking", "the": driven.app.run_screen.head}[name.split()[0]]


async def test_never_from_a_prompt_and_never_a_secret(drive: Drive, sent: list[str]) -> None:
    async with drive(P_people=asks("pin", PIN)) as driven:
        await driven.press("r", f"text:{SENTINEL}", "y", "ctrl+c", "ctrl+x")
        assert not any(isinstance(screen, CopyPrompt) for screen in driven.app.screen_stack)
        assert any(isinstance(screen, PinPrompt) for screen in driven.app.screen_stack)
        while not isinstance(driven.app.screen, PinPrompt):
            await driven.press("escape")
        await driven.press("backspace", "enter")
        await until(driven, lambda: any(isinstance(event, StepFinished) for event in driven.walk.seen))
        await driven.settle()
        await driven.press("k", "y")
        await until(driven, lambda: isinstance(driven.app.screen, CopyPrompt))
        menu = driven.app.screen
        assert isinstance(menu, CopyPrompt)
        assert menu._offered
        assert SENTINEL not in "".join(one.text for one in menu._offered)
        assert sent == []
        assert SENTINEL not in driven.app.clipboard


async def test_nothing_is_decided_while_a_shell_is_open(drive: Drive) -> None:
    left = asyncio.Event()

    async def lend(request: TerminalRequest) -> int:
        await left.wait()
        return 0

    async with drive() as driven:
        driven.walk.lend = lend
        await until(driven, lambda: driven.app.run_screen.moment is not None)
        # Both at once: the second key is there before the shell is.
        await driven.pilot.press("exclamation_mark", "r", "c", "s")
        await driven.settle()
        assert not any(isinstance(event, StepStarted) for event in driven.walk.seen)
        assert not driven.app.run_screen.continuing
        assert len(driven.app.screen_stack) == len([driven.app.run_screen])
        left.set()
        await until(driven, lambda: not driven.app.run_screen.away)
        await driven.press("s")
        assert "reason" in driven.screen.lower()
