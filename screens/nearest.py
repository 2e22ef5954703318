"""Colours for a terminal of 256: the nearest to the eye.

What Rich does by itself turns greys with a touch of blue into plain blue. Over SSH most terminals are of 256 colours:
sshd(8) hands TERM on, and COLORTERM only where both sides are set to.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_STEPS = (0, 95, 135, 175, 215, 255)
"""Of the cube, numbers 16 to 231 (xterm's 256colres.h); 232 to 255 are the greys 8, 18 … 238."""


def _table() -> list[tuple[int, ColorTriplet]]:
    cube = [ColorTriplet(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS]
    greys = [ColorTriplet(level, level, level) for level in range(8, 239, 10)]
    return list(enumerate([*cube, *greys], 16))


_TABLE = _table()


@lru_cache(4096)
def nearest(color: RichColor) -> RichColor:
    """The colour of the 256 that is nearest by a weighted distance; what is no full colour stays."""
    if (wanted := color.triplet) is None:
        return color

    def distance(entry: tuple[int, ColorTriplet]) -> float:
        # `Redmean`: the eye tells greens apart better than reds and blues, and these by how red it is.
        (red, green, blue), mean = entry[1], (entry[1].red + wanted.red) / 512
        apart = (2 + mean) * (red - wanted.red) ** 2 + 4 * (green - wanted.green) ** 2
        return apart + (3 - mean) * (blue - wanted.blue) ** 2

    return RichColor.from_ansi(min(_TABLE, key=distance)[0])


@lru_cache(4096)
def _nearest_style(style: Style) -> Style:
    front, ground = style.color, style.bgcolor
    return style + Style.from_color(front and nearest(front), ground and nearest(ground))


class Nearest(LineFilter):
    """Writes every colour as one of the 256."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        return [
            segment if segment.style is None else Segment(segment.text, _nearest_style(segment.style), segment.control)
            for segment in segments
        ]
