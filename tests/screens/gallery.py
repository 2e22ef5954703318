"""Panes under each other on one tall screen, and the picture of a screen in a few kB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
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
from screens.theme import FALLBACKS, THEME

TALL = 4_000
"""Lines of the screen on which the panes are laid out; what stays empty is cut off."""

_WIDE, _HIGH, _SIZE = 8.4, 18, 14
"""Width and height of a cell and size of the type in the picture, in pixels."""


class Gallery(App[None]):
    """Panes as the run screen draws them, without the run screen."""

    CSS_PATH = BaseApp.CSS_PATH
    CSS = "Screen { layout: vertical; } #panes { height: auto; }"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = []

    def __init__(self, evidence: Iterable[Evidence], *, pictures: bool = False) -> None:
        super().__init__()
        self._evidence, self._pictures = tuple(evidence), pictures
        self.animation_level = "none"
        self.register_theme(THEME)
        self.theme = THEME.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return FALLBACKS

    def compose(self) -> ComposeResult:
        with Vertical(id="panes"):
            for one in self._evidence:
                pane = pane_for(one)
                pane.pictures = self._pictures
                yield pane


async def drawn(evidence: Iterable[Evidence], width: int, *, room: str = "", pictures: bool = False) -> list[Strip]:
    """The lines of those panes, as wide as `width`; `room`: the class of a screen of that width."""
    app = Gallery(evidence, pictures=pictures)
    async with app.run_test(size=(width, TALL)) as pilot:
        if room:
            app.screen.add_class(room)
        await pilot.pause()
        height = app.screen.query_one("#panes").region.height
        return app.screen._compositor.render_strips(app.size)[:height]


def picture(strips: Sequence[Strip], width: int, *, grounds: bool = False) -> str:
    """The lines as SVG: a piece of text for each style, on the ground of the theme or, with `grounds`, on its own."""
    styles: dict[str, str] = {}
    body = [line for number, strip in enumerate(strips) for line in _line(strip, number, styles)]
    if grounds:
        body[:0] = [line for number, strip in enumerate(strips) for line in _grounds(strip, number)]
    sheet = "".join(f".{name}{{{rule}}}" for rule, name in styles.items())
    across, down = (width + 2) * _WIDE, (len(strips) + 1) * _HIGH
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down:.0f}" xml:space="preserve">',
            f"<style>text{{font:{_SIZE}px Menlo,Consolas,'DejaVu Sans Mono',monospace}}{sheet}</style>",
            f'<rect width="100%" height="100%" rx="6" fill="{THEME.background}"/>',
            *body,
            "</svg>\n",
        )
    )


def _line(strip: Strip, number: int, styles: dict[str, str]) -> Iterator[str]:
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
    for segment in strip.simplify():
        style = segment.style
        color = style and (style.color if style.reverse else style.bgcolor)
        fill = Color.from_rich_color(color).hex6.lower() if color else ""
        if fill and fill != Color.parse(THEME.background or "").hex6.lower():
            x, y, long = (at + 1) * _WIDE, (number + 0.25) * _HIGH, segment.cell_length * _WIDE
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{long:.1f}" height="{_HIGH}" fill="{fill}"/>'
        at += segment.cell_length


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
