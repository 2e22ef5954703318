"""Foreign text on every pane: nothing raises, nothing moves the cursor, nothing is read as markup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from runbook.errors import PromptCancelled
from runbook.operator import (
    Alphabet,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    Condition,
    ConfirmRequest,
    PhraseRequest,
    PinRequest,
    PointOfNoReturnRequest,
    SecretRequest,
    TextRequest,
    TranscribeRequest,
    WitnessRequest,
)
from runbook.outcome import Evidence, Outcome
from runbook.probing import Answer, Probed
from runbook.record import events as ev
from runbook.ticking import ChecklistRequest
from screens.evidence import pane_for
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import EVIDENCE
from tests.screens.scripted import ScriptedWalk, ends

HOSTILE = {
    "closing markup": "[/foo]",
    "bold markup": "[bold red]x[/] [@click=app.quit]y[/]",
    "unclosed markup": "[",
    "backslashes": "\\[b]\\",
    "variable": "$text-error $nothing [$x]",
    "escape": "\x1b[2J\x1b[H\x1b]0;title\x07",
    "clipboard": "\x1b]52;c;aGFja2Vk\x07",
    "controls": "a\x00b\x08c\rd\x7fe\x9bf\x85g",
    "bidi": "abc\u202egnp.exe\u2066x",
    "zero width": "a\u200bb\u200dc\ufeffd",
    "combining": "Z" + "\u0301" * 500,
    "wide": "漢字🎉👩‍👩‍👧" * 20,
    "long": "x" * 5_000,
    "lines": "one\ntwo\u2028three\n" * 3,
    "empty": "",
    "lone surrogate": "\ud83d",
}
ALLOWED = set("\n")

corpus = pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))


def poisoned(value: Any, text: str, *, raw: bool) -> Any:
    """`value` with every text in it replaced; `raw`: past the cleaning that evidence does of itself."""
    if isinstance(value, BaseModel):
        kept = {"form", "method", "state", "ended_by", "stream"}
        fields = {
            name: field if name in kept or not _textual(field) else poisoned(field, text, raw=raw)
            for name, field in ((name, getattr(value, name)) for name in type(value).model_fields)
        }
        return type(value).model_construct(**fields) if raw else type(value)(**fields)
    if isinstance(value, tuple):
        return tuple(poisoned(item, text, raw=raw) if _textual(item) else item for item in value)
    return text


def _textual(value: Any) -> bool:
    return isinstance(value, (str, tuple, BaseModel)) and not isinstance(value, Enum)


def evidence(text: str, *, raw: bool) -> Iterator[Evidence]:
    for samples in EVIDENCE.values():
        yield poisoned(samples[-1], text, raw=raw)


def harmless(d: Driven) -> None:
    """No control character is painted or exported."""
    for strip in d.app.screen._compositor.render_strips(d.app.size):
        for segment in strip:
            assert segment.text.isprintable(), repr(segment.text)
    assert "\x1b" not in d.app.export_screenshot(simplify=True)


@corpus
@pytest.mark.parametrize("raw", [False, True], ids=["cleaned", "as it came"])
async def test_every_pane(drive: Drive, text: str, raw: bool) -> None:
    found = Outcome.failed(text, *evidence(text, raw=raw), remedy=text)
    async with drive((80, 24), A1_slots=ends(found, text)) as d:
        await d.press("c")
        harmless(d)
        for _ in range(4):
            await d.press("pagedown")
            harmless(d)
        await d.press("o")
        harmless(d)


@corpus
@pytest.mark.parametrize("width", [40, 47, 90])
def test_no_line_of_a_pane_is_wider_than_its_room(text: str, width: int) -> None:
    for item in evidence(text, raw=False):
        for line in pane_for(item).lines(width):
            assert line.cell_length <= width, (item.kind, line.plain)


@pytest.mark.parametrize("kind", list(EVIDENCE))
def test_what_cannot_be_seen_in_a_name_is_made_visible(kind: str) -> None:
    """A right-to-left override, a zero-width space and an escape stay where they were, in a form that is read."""
    item = poisoned(EVIDENCE[kind][-1], "a\u202eb\u200bc\x1bd", raw=False)
    shown = "".join(line.plain for line in pane_for(item).lines(150)).replace(" ", "")
    assert "a⟨U+202E⟩b⟨U+200B⟩c␛d" in shown
    assert not {"\u202e", "\u200b", "\x1b"} & set(shown)


def no_return(text: str) -> PointOfNoReturnRequest:
    conditions = (Condition(text, holds=True), Condition(text, holds=False))
    probed = Probed(Answer.PARTLY, Outcome.failed(text))
    return PointOfNoReturnRequest(text, text, (text,), conditions, probed, (text,), text, text)


def requests(text: str) -> tuple[tuple[str, Any], ...]:
    """What is asked, as the operator's method and what it is given."""
    return (
        ("pin", PinRequest(text, text, text, 1, 3, (text,), 6, 15, text)),
        ("secret", SecretRequest(text, text)),
        ("confirm", ConfirmRequest(text, (text,), dangerous=True)),
        ("choose", ChoiceRequest(text, ((text, text), ("b", text)))),
        ("type_phrase", PhraseRequest(text, text, (text,))),
        ("transcribe", TranscribeRequest(text, Alphabet.HEX, 64, help=text)),
        ("text", TextRequest(text, text, text)),
        ("compare", CompareRequest(text, text, text, text, "x")),
        ("attest", AttestRequest(text, (text, text))),
        ("point_of_no_return", no_return(text)),
        ("witness", WitnessRequest(text, text, (text, text), text, (text, text), text, text)),
        ("checklist", ChecklistRequest(text, text, (text, text))),
    )


@corpus
async def test_every_prompt(drive: Drive, text: str) -> None:
    shown: list[str] = []

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        for method, request in requests(text):
            with suppress(PromptCancelled):
                await getattr(walk.operator, method)(request)
        return Outcome.failed("all were left", EVIDENCE["statements"][0])

    async with drive(rehearsal=True, P_people=play) as d:
        await d.press("r")
        while d.app.screen is not d.app.run_screen:
            shown.append(type(d.app.screen).__name__)
            harmless(d)
            await d.press("escape")
    assert len(set(shown)) == len(requests(text)), "each prompt was on the screen"


async def test_brackets_are_shown_as_they_are(drive: Drive) -> None:
    label = "[/foo] [b]x[/b] \\["
    request = ConfirmRequest(label, (label,))

    async def play(walk: ScriptedWalk, step: str) -> Outcome:
        await walk.operator.confirm(request)
        return Outcome.failed(label, EVIDENCE["statements"][0])

    async with drive(P_people=play) as d:
        await d.press("r")
        assert d.screen.count(label) == 2
        await d.press("enter")
        assert d.screen.count(label) >= 2


async def test_the_bar_and_the_list_stand_hostile_conditions(drive: Drive) -> None:
    async with drive() as d:
        for text in HOSTILE.values():
            d.walk.say(ev.StepBlocked("P.people", (text, text)))
            d.walk.say(ev.StepProgress("P.people", text))
            await d.settle()
            harmless(d)
