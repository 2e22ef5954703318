"""Panes as the run screen draws them, without the run screen, and their pictures in a few kB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.strip import Strip

from runbook.outcome import Evidence
from screens.base_app import BaseApp
from screens.evidence import pane_for
from screens.evidence.pane import Pane
from screens.theme import FALLBACKS, THEME

TALL = 4_000
"""Lines of the screen on which they are laid out."""

_WIDE, _HIGH, _SIZE = 8.4, 18, 14
"""Width and height of a cell and size of the type in a picture, in pixels."""


class Gallery(App[None]):
    """Panes under each other."""

    CSS_PATH = BaseApp.CSS_PATH
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = []

    def __init__(self, panes: Sequence[Pane[Evidence]]) -> None:
        super().__init__()
        self._panes = panes
        self.animation_level = "none"
        self.register_theme(THEME)
        self.theme = THEME.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return FALLBACKS

    def compose(self) -> ComposeResult:
        yield Vertical(*self._panes)


async def drawn(
    evidence: Iterable[Evidence], width: int, room: str = "-wide", *, pictures: bool = False
) -> list[list[Strip]]:
    """The lines of each, `width` cells wide; `room`: the class of a screen that has that much room for a pane.

    `pictures`: with randomart.
    """
    panes = [pane_for(one) for one in evidence]
    for pane in panes:
        pane.pictures = pictures
    app = Gallery(panes)
    async with app.run_test(size=(width, TALL)) as pilot:
        app.screen.add_class(room)
        await pilot.pause()
        strips = app.screen._compositor.render_strips(app.size)
        regions = [pane.region for pane in panes]
        assert regions[-1].bottom <= TALL
        return [strips[region.y : region.bottom] for region in regions]


def picture(blocks: Sequence[Sequence[Strip]], width: int, *, grounds: bool = False) -> str:
    """Panes as SVG, under each other: a piece of text for each style.

    It stands on the ground of the theme or, with `grounds`, on its own.
    """
    styles: dict[str, str] = {}
    gap = [Strip([Segment(" ")])]
    strips = [strip for block in blocks for strip in (*block, *gap)][:-1]
    body = [line for number, strip in enumerate(strips) for line in _texts(strip, number, styles)]
    if grounds:
        body[:0] = [line for number, strip in enumerate(strips) for line in _grounds(strip, number)]
    sheet = "".join(f".{name}{{{rule}}}" for rule, name in styles.items())
    across, down = (width + 2) * _WIDE, (len(strips) + 1) * _HIGH
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down}" xml:space="preserve">',
            f"<style>text{{font:{_SIZE}px Menlo,Consolas,'DejaVu Sans Mono',monospace}}{sheet}</style>",
            f'<rect width="100%" height="100%" rx="6" fill="{THEME.background}"/>',
            *body,
            "</svg>\n",
        )
    )


def _texts(strip: Strip, number: int, styles: dict[str, str]) -> Iterator[str]:
    at = 0
    for segment in strip.simplify():
        text = segment.text.strip(" ")
        if text:
            lead = len(segment.text) - len(segment.text.lstrip(" "))
            x, y = (at + lead + 1) * _WIDE, (number + 1) * _HIGH
            long = cell_len(text) * _WIDE
            name = _class(segment, styles)
            yield f'<text class="{name}" x="{x:.1f}" y="{y}" textLength="{long:.1f}">{escape(text, quote=False)}</text>'
        at += segment.cell_length


def _grounds(strip: Strip, number: int) -> Iterator[str]:
    """What lies behind the text where it is not the ground of the theme."""
    at = 0
    for fill, segments in groupby(strip, _ground):
        long = sum(segment.cell_length for segment in segments)
        if fill:
            x, y = (at + 1) * _WIDE, (number + 0.25) * _HIGH
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{long * _WIDE:.1f}" height="{_HIGH}" fill="{fill}"/>'
        at += long


def _ground(segment: Segment) -> str:
    """Its colour in hex; empty: the theme's."""
    style = segment.style
    color = style and (style.color if style.reverse else style.bgcolor)
    found = Color.from_rich_color(color).hex6.lower() if color else ""
    return "" if found == Color.parse(THEME.background or "").hex6.lower() else found


def _class(segment: Segment, styles: dict[str, str]) -> str:
    """A short name for the segment's style."""
    style = segment.style
    assert style is not None
    assert style.color is not None
    front = style.bgcolor if style.reverse and style.bgcolor else style.color
    rule = f"fill:{Color.from_rich_color(front).hex6.lower()}"
    rule += ";font-weight:bold" if style.bold else ""
    rule += ";text-decoration:underline" if style.underline else ""
    return styles.setdefault(rule, f"s{len(styles)}")
