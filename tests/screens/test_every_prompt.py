"""Every prompt there is: no size of the terminal takes anything from it, and escape leaves it without an answer."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList

import screens
from runbook.copying import Copyable
from runbook.operator import (
    Alphabet,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decision,
    PhraseRequest,
    SecretRequest,
    TranscribeRequest,
)
from runbook.record.gate_events import ApprovalAsked
from runbook.ticking import ChecklistRequest
from screens.clipboard import CopyPrompt
from screens.prompts.approval import ApprovalPrompt, Question
from screens.prompts.attest import AttestPrompt, Checklist
from screens.prompts.checklist import ChecklistPrompt
from screens.prompts.choice import ChoicePrompt
from screens.prompts.compare import ComparePrompt
from screens.prompts.confirm import ConfirmPrompt
from screens.prompts.line import LinePrompt
from screens.prompts.phrase import PhrasePrompt
from screens.prompts.phrase_entry import PhraseEntry
from screens.prompts.pin import PinPrompt
from screens.prompts.point_of_no_return import PointOfNoReturnPrompt
from screens.prompts.prompt import Prompt
from screens.prompts.quit import QuitPrompt
from screens.prompts.reason import ReasonPrompt
from screens.prompts.rows import Rows
from screens.prompts.secret import SecretPrompt
from screens.prompts.secret_entry import SecretEntry
from screens.prompts.transcribe import TranscribePrompt
from screens.prompts.transcript_entry import TranscriptEntry
from screens.prompts.witness import WitnessPrompt
from screens.too_small import TooSmall
from tests.screens.conftest import Drive, Driven
from tests.screens.gate_samples import NO_RETURN, WITNESS
from tests.screens.samples import PIN, ROOT

LONG = "which takes more than one row, as what a person has to say often does, and is read to its end "
MANY = tuple(f"statement {number}, {LONG}" for number in range(12))
WHAT = tuple(f"command {number} {LONG}" for number in range(12))
ASKED = ApprovalAsked("G3", "00", "00", "n", "", "2026-04-29T09:24:30.000000Z", WHAT)

PROMPTS: dict[type[Prompt[Any]], tuple[Callable[[], Prompt[Any]], tuple[str, ...]]] = {
    PinPrompt: (lambda: PinPrompt(PIN), ("7", "3", "a")),
    SecretPrompt: (lambda: SecretPrompt(SecretRequest("Which?", "for this")), ("x", "y", "ä")),
    ConfirmPrompt: (lambda: ConfirmPrompt(ConfirmRequest("Go on?", MANY, dangerous=True)), ("right",)),
    ChoicePrompt: (
        lambda: ChoicePrompt(ChoiceRequest("Which?", tuple((f"k{n}", LONG) for n in range(20)))),
        ("down",) * 9,
    ),
    PhrasePrompt: (lambda: PhrasePrompt(PhraseRequest("Type it", "WIPE ccat ca", MANY[:2])), ("W", "I", "x")),
    TranscribePrompt: (
        lambda: TranscribePrompt(TranscribeRequest("Root", Alphabet.HEX, 64)),
        ("a", "b", "c", "d", "e", "left", "left"),
    ),
    LinePrompt: (lambda: LinePrompt("Value", "Which?", LONG, "some text"), ("x", "left", "left")),
    ReasonPrompt: (lambda: ReasonPrompt("A1", Decision.SKIP), ("w", "h", "y", "left")),
    ComparePrompt: (lambda: ComparePrompt(CompareRequest("Same?", "left", ROOT, "right", ROOT)), ("right",)),
    AttestPrompt: (lambda: AttestPrompt(AttestRequest("Many", MANY)), ("y", "down", "n", *("down",) * 7)),
    ChecklistPrompt: (
        lambda: ChecklistPrompt(ChecklistRequest("Many", "Is it so?", MANY)),
        ("y", "down", "w", *("down",) * 7, "n", "s", "o"),
    ),
    QuitPrompt: (lambda: QuitPrompt("A1"), ("right",)),
    WitnessPrompt: (lambda: WitnessPrompt(WITNESS), ("down", "enter", "~", "slash", "k")),
    ApprovalPrompt: (
        lambda: ApprovalPrompt(Question(ASKED, "A step", "3F9A 07C1", "0008", "~/.ssh/id")),
        ("right", "enter", "n", "o"),
    ),
    PointOfNoReturnPrompt: (lambda: PointOfNoReturnPrompt(NO_RETURN), ("pagedown", "shift+tab", "W", "I", "P")),
    CopyPrompt: (lambda: CopyPrompt("A1", (Copyable("one", "One", "1"), Copyable("two", "Two", "2"))), ("down",)),
}

SIZES = ((100, 24), (120, 40), (200, 60))
TOO_SMALL = ((60, 15), (80, 23))


def every_prompt() -> Iterator[type[Prompt[Any]]]:
    """All that can be put on the screen, wherever they are."""
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        importlib.import_module(module.name)
    left = list(Prompt.__subclasses__())
    while left:
        one = left.pop()
        left += one.__subclasses__()
        if one.__module__.startswith("screens."):
            yield one


def test_none_is_forgotten() -> None:
    assert set(every_prompt()) == set(PROMPTS)


def state(prompt: Prompt[Any]) -> dict[str, object]:
    """All that a person has done in it."""
    found: dict[str, object] = {"focus": prompt.focused and (type(prompt.focused).__name__, prompt.focused.id)}
    for number, widget in enumerate(prompt.query("*")):
        match widget:
            case Input():
                said: object = (widget.value, widget.cursor_position)
            case SecretEntry():
                said = bytes(widget._typed[: widget._length])
            case TranscriptEntry():
                said = (widget.value, widget._cursor)
            case PhraseEntry():
                said = widget.typed
            case OptionList():
                said = widget.highlighted
            case Rows():
                said = (widget.cursor, tuple(getattr(widget, "answers", ())))
            case _:
                continue
        found[f"{number} {type(widget).__name__}"] = said
    return found


def places(prompt: Prompt[Any]) -> list[float]:
    return [page.scroll_y for page in prompt.query(VerticalScroll)]


async def sized(d: Driven, size: tuple[int, int]) -> None:
    await d.pilot.resize_terminal(*size)
    await d.settle()
    await d.settle()


@pytest.mark.parametrize("kind", PROMPTS, ids=lambda kind: kind.__name__)
async def test_no_size_takes_anything_from_it(drive: Drive, kind: type[Prompt[Any]]) -> None:
    make, keys = PROMPTS[kind]
    async with drive((80, 24)) as d:
        prompt = make()
        d.app.push_screen(prompt)
        await d.settle()
        untouched = state(prompt)
        await d.press(*keys)
        before, scrolled = state(prompt), places(prompt)
        assert before != untouched
        for size in (*SIZES, *TOO_SMALL, (80, 24)):
            await sized(d, size)
            if size in TOO_SMALL:
                assert isinstance(d.app.screen, TooSmall)
                await d.press("x", "enter", "escape")
                assert isinstance(d.app.screen, TooSmall), "nothing is typed into what cannot be seen"
            else:
                assert d.app.screen is prompt
                assert in_sight(prompt), size
            assert state(prompt) == before, size
        assert places(prompt) == scrolled
        await d.press("escape")
        assert d.app.screen is not prompt


def in_sight(prompt: Prompt[Any]) -> bool:
    """What has the focus, or of many lines the one at hand, is on the screen."""
    focused = prompt.focused
    assert focused is not None
    if isinstance(focused, Rows):
        return focused._in_sight()
    return focused.region.intersection(prompt.app.size.region).size.area != 0 and prompt.can_view_partial(focused)


def test_a_checklist_is_one_of_rows() -> None:
    assert issubclass(Checklist, Rows)
