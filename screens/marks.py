"""How what a search has found is marked: underlined, and in reverse where one is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from textual.content import Content

from screens.words import DOUBT

FOUND: Final = f"bold underline {DOUBT}"
HERE: Final = f"bold reverse {DOUBT}"
"""Where one is; neither is told by its colour alone."""


def marked(content: Content, sought: re.Pattern[str] | None, here: int = -1) -> Content:
    """`content` with each place marked; the one numbered `here` (from 0) is the one where one is."""
    if sought is None:
        return content
    return spanned(content, (match.span() for match in sought.finditer(content.plain)), here)


def spanned(content: Content, spans: Iterable[tuple[int, int]], here: int = -1) -> Content:
    """`content` with these spans marked."""
    for number, (start, end) in enumerate(spans):
        content = content.stylize(HERE if number == here else FOUND, start, end)
    return content
