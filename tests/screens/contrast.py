"""What of a picture cannot be read: text whose contrast with its ground is too low."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import category

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.terminal_theme import TerminalTheme
from textual.strip import Strip

from screens.nearest import nearest

MINIMUM = 4.5
"""WCAG 2.2, 1.4.3: contrast of text."""


def _palette(normal: str, bright: str) -> TerminalTheme:
    """Of eight colours in their order (ECMA-48) and the bright ones."""
    return TerminalTheme((1, 2, 3), (1, 2, 3), _triplets(normal), _triplets(bright))


def _triplets(colours: str) -> list[tuple[int, int, int]]:
    return [(red, green, blue) for red, green, blue in map(bytes.fromhex, colours.split())]


DARK_PALETTES = {
    "xterm": _palette(
        "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5",
        "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    ),
    "Linux console": _palette(
        "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa",
        "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    ),
    "PuTTY": _palette(
        "000000 bb0000 00bb00 bbbb00 0000bb bb00bb 00bbbb bbbbbb",
        "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    ),
    "GNOME Terminal": _palette(
        "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc",
        "5e5c64 f66151 33da7a e9ad0c 2a7bde c061cb 33c7de ffffff",
    ),
    "Windows Terminal": _palette(
        "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc",
        "767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2",
    ),
    "Visual Studio Code": _palette(
        "000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5",
        "666666 f14c4c 23d18b f5f543 3b8eea d670d6 29b8db e5e5e5",
    ),
}
"""The palettes that people have who changed nothing."""

LIGHT_PALETTES = {name: palette for name, palette in DARK_PALETTES.items() if name != "Visual Studio Code"}
"""Visual Studio Code has another palette on white, and sees to 4.5 to 1 by itself."""


def contrast(front: ColorTriplet, ground: ColorTriplet) -> float:
    """WCAG 2.2, `contrast ratio`: between 1 and 21."""
    light, dark = sorted((luminance(front), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: ColorTriplet) -> float:
    """WCAG 2.2, `relative luminance` of an sRGB colour."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def is_text(text: str) -> bool:
    """Whether there is something to read in it: not blanks, rules and bars alone."""
    return any(not char.isspace() and not 0x2500 <= ord(char) <= 0x259F and category(char) != "Zs" for char in text)


def unreadable(strips: Iterable[Strip], minimum: float = MINIMUM) -> Iterator[str]:
    """What is below the minimum in full colour and in 256 colours."""
    for segment, front, ground in _pairs(strips):
        few = nearest(front), nearest(ground)
        for name, (one, other) in (("full colour", (front, ground)), ("256 colours", few)):
            ratio = contrast(one.get_truecolor(), other.get_truecolor())
            if ratio < minimum:
                yield f"{segment.text!r} in {name}: {ratio:.2f} ({front.name} on {ground.name})"


def unreadable_in(strips: Sequence[Strip], palettes: dict[str, TerminalTheme]) -> Iterator[str]:
    """What is below the minimum in one of the palettes, or has no colour of the sixteen."""
    for segment, front, ground in _pairs(strips):
        if not (front.is_system_defined and ground.is_system_defined) or front.is_default or ground.is_default:
            yield f"{segment.text!r} is not in the sixteen colours: {front.name} on {ground.name}"
            continue
        if segment.style is not None and segment.style.dim:
            yield f"{segment.text!r} is dimmed, by how much the terminal decides"
        for name, palette in palettes.items():
            ratio = contrast(front.get_truecolor(palette), ground.get_truecolor(palette))
            if ratio < MINIMUM:
                yield f"{segment.text!r} in {name}: {ratio:.2f} ({front.name} on {ground.name})"


def _pairs(strips: Iterable[Strip]) -> Iterator[tuple[Segment, Color, Color]]:
    """Each text once for its colours, with what it is written in and on."""
    seen = set()
    for strip in strips:
        for segment in strip:
            style = segment.style
            if not is_text(segment.text):
                continue
            assert style is not None, segment
            assert style.color is not None, segment
            assert style.bgcolor is not None, segment
            front, ground = (style.bgcolor, style.color) if style.reverse else (style.color, style.bgcolor)
            if (key := (front.name, ground.name, bool(style.dim))) not in seen:
                seen.add(key)
                yield segment, front, ground
