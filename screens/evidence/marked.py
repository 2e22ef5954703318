"""A line of output with what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from screens.columns import leading, wrap
from screens.words import BAD, GOOD

Place = tuple[int, int, bool]
"""Start and end of a match in characters, and whether it should be there."""


def marked_line(
    text: str, places: Iterable[Place], width: int, style: str = "", *, sign: bool = True
) -> Iterator[Content]:
    """`text` with each match underlined and, with `sign`, a tick or a cross before it; a cross counts more."""
    line, before = Content.styled(text, style), Content("  ")
    for start, end, good in sorted(places, key=lambda place: not place[2]):
        look = f"bold {GOOD if good else BAD}"
        before = Content.styled("✓ " if good else "✗ ", look) if sign else before
        line = line.stylize(f"{look} underline", start, end)
    for number, part in enumerate(wrap(line, width - 2, hang=leading(text) + 2)):
        yield before + part if number == 0 else part.pad_left(2)
