"""Pictures of the screens at both sizes, and what must hold of every picture: contrast, and states without colour."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.color import Color

from runbook.operator import ConfirmRequest, PinRequest
from runbook.outcome import Outcome
from screens.theme import THEME
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import ATTEST, EVIDENCE, PAPER, PIN, ROOT, TOKEN
from tests.screens.scripted import asks, ends

Picture = Callable[[Driven, str], None]

SIZES = [(80, 24), (120, 40)]
both_sizes = pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])

MINIMUM = 4.5
"""WCAG 2.2, 1.4.3: contrast of text."""

RED = ends(
    Outcome.failed(
        "the token found is not the one on paper",
        EVIDENCE["slots"][1],
        remedy="Stop. Put the right dongle into the port.",
    )
)
LAST_TRY = PinRequest(
    TOKEN, "user PIN", "sign the test statement", 1, 3, ("CKF_USER_PIN_FINAL_TRY",), 6, 15, "Last try"
)


def readable(d: Driven) -> None:
    """Every text on the screen in front has enough contrast with its ground; what lies behind a dialog is dimmed."""
    x, y, width, height = next(
        (dialog.region for dialog in d.app.screen.query("#dialog, #--results")), d.app.screen.region
    )
    for strip in d.app.screen._compositor.render_strips(d.app.size)[y : y + height]:
        for segment in strip.crop(x, x + width):
            style = segment.style
            if not any(char.isalnum() for char in segment.text) or style is None:
                continue
            front, ground = style.color, style.bgcolor
            assert front is not None, segment
            assert ground is not None, segment
            if style.reverse:
                front, ground = ground, front
            ratio = contrast(Color.from_rich_color(front), Color.from_rich_color(ground))
            assert ratio >= MINIMUM, f"{segment.text!r}: {ratio:.1f}"


def contrast(front: Color, ground: Color) -> float:
    """WCAG 2.2, `contrast ratio`: between 1 and 21."""
    light, dark = sorted((_luminance(front), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    """WCAG 2.2, `relative luminance` of an sRGB colour."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@both_sizes
async def test_a_green_run(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("c")
        readable(d)
        picture(d, "green")


@both_sizes
async def test_a_red_step_in_a_rehearsal(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, rehearsal=True, A1_slots=RED) as d:
        await d.press("c")
        readable(d)
        picture(d, "red")


@both_sizes
async def test_a_run_that_waits(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size) as d:
        await d.press("r", "r")
        readable(d)
        picture(d, "waiting")


@both_sizes
async def test_the_pin_prompt(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, rehearsal=True, P_people=asks("pin", PIN)) as d:
        await d.press("r", "text:12345")
        picture(d, "pin")


async def test_the_pin_prompt_at_the_last_try(drive: Drive, picture: Picture) -> None:
    async with drive(P_people=asks("pin", LAST_TRY)) as d:
        await d.press("r", "text:12345", "enter")
        picture(d, "last try")


@both_sizes
async def test_the_transcription(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    async with drive(size, P_people=asks("transcribe", PAPER)) as d:
        await d.press("r", "text:" + ROOT[:21])
        picture(d, "transcription")


async def test_the_attestation(drive: Drive, picture: Picture) -> None:
    async with drive(P_people=asks("attest", ATTEST)) as d:
        await d.press("r", "y", "j", "n")
        picture(d, "attestation")


async def test_a_dangerous_question(drive: Drive, picture: Picture) -> None:
    request = ConfirmRequest("Wipe the volume?", ("ccat-ca_step-ca-data on input-b",), dangerous=True)
    async with drive(P_people=asks("confirm", request)) as d:
        await d.press("r")
        picture(d, "dangerous")


async def test_help(drive: Drive, picture: Picture) -> None:
    async with drive((120, 40)) as d:
        await d.press("question_mark")
        picture(d, "help")
        await d.press("escape")
        assert d.app.screen is d.app.run_screen


@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
@pytest.mark.parametrize("text", ["text-primary", "text-success", "text-warning", "text-error", "quiet"])
def test_every_text_colour_is_readable_on_every_ground(text: str, ground: str) -> None:
    front, behind = Color.parse(THEME.variables[text]), Color.parse(getattr(THEME, ground))
    assert contrast(front, behind) >= MINIMUM
