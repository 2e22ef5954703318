"""Where a line that is too long is folded: between words, and in a word where a path or a name has its joints."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len, split_graphemes

_JOINTS = ("/", ",;:=&?@+", "_.-")
"""Characters after which a word may be folded, the best first: the parts of a path, a URL or a name stay whole."""


def breaks(text: str, first: int, rest: int) -> list[int]:
    """The offsets at which `text`, one line, goes on in the next: the first has room for `first` cells.

    Spaces at a fold belong to the line before it. Nothing that takes one place on the screen is taken apart.
    """
    if cell_len(text) <= first:
        return []
    reach = _reach(text)
    offsets, at, room = [], 0, first
    while (end := reach(at, room)) < len(text):
        at = _fold(text, at, end, rest)
        if at >= len(text):
            break
        offsets.append(at)
        room = rest
    return offsets


def _fold(text: str, at: int, end: int, rest: int) -> int:
    """Where the line that begins at `at` and has room up to `end` is folded."""
    space = text.rfind(" ", at, end + 1)
    if space > at and not text[at:space].isspace():
        after = space + 1
        while after < len(text) and text[after] == " ":
            after += 1
        word = (text + " ").find(" ", after) - after
        # A word that has to be folded in any case fills this line too, rather than leaving most of it empty.
        if word <= rest or space - at > (end - at) // 2:
            return after
    soonest = at + (end - at) // 3
    for chars in _JOINTS:
        if (joint := max(text.rfind(char, soonest, end) for char in chars)) >= soonest:
            return joint + 1
    return end


def _reach(text: str) -> Callable[[int, int], int]:
    """A function from a start and some cells to the end of what fits there, always at least one character."""
    if text.isascii() and text.isprintable():
        return lambda at, room: min(len(text), at + room)
    spans = split_graphemes(text)[0]
    starts = {start: number for number, (start, _, _) in enumerate(spans)}

    def reach(at: int, room: int) -> int:
        number, end = starts.get(at, len(spans)), at
        while number < len(spans) and (spans[number][2] <= room or end == at):
            room -= spans[number][2]
            end = spans[number][1]
            number += 1
        return max(end, at + 1)

    return reach
