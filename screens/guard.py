"""The last line before the terminal: whatever a widget drew, no control character leaves the program."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


class ControlGuard(LineFilter):
    """Replaces every unprintable character of a line that is about to be painted.

    Foreign text is cleaned where it enters (`runbook.text`); this holds should one place ever forget.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(_printable(text), style, control) for text, style, control in segments]


def _printable(text: str) -> str:
    """`text` with each unprintable character as blank as it is wide, so that nothing moves."""
    return "".join(char if char.isprintable() else " " * cell_len(char) for char in text)
