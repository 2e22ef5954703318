"""Foreign text made harmless: no control character, no invisible or reordering character survives.

Every text that comes from a token, a file, a host or a command passes here once, where it enters. What was
there stays visible: an escape becomes ``␛``, a right-to-left override ``⟨U+202E⟩``.
"""

from __future__ import annotations

import unicodedata

MAX_TEXT = 200_000
"""Characters kept of one text; what is longer is cut and says so."""

MAX_LINE = 2_000
"""Characters kept of one line."""

MAX_COMBINING = 4
"""Combining marks kept on one base character."""

_MARKS = frozenset({"Mn", "Me"})
"""Categories of combining marks."""

_AHEAD = 4
"""How many times the characters kept are looked at."""

_CONTROL_PICTURES = 0x2400


def clean_line(text: str, limit: int = MAX_LINE) -> str:
    """`text` as one harmless line; line breaks become ``␊``."""
    if text.isascii() and text.isprintable():  # nearly every text
        return _cut(text, limit)
    # Looking at each character takes time: of a text that is cut in any case only the beginning is looked at.
    near = text[: _AHEAD * limit]
    return _cut(_visible(near), limit, len(text) - len(near))


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """`text` with its line breaks and tabs kept (tabs as spaces) and everything else harmless."""
    text = _cut(text.replace("\r\n", "\n"), limit)
    return "\n".join(clean_line(line.expandtabs(8)) for line in text.split("\n"))


def _cut(text: str, limit: int, beyond: int = 0) -> str:
    """`text`, after which there are `beyond` more characters, cut where it is longer than `limit`."""
    more = max(0, len(text) - limit) + beyond
    return f"{text[:limit]}… [{more} more characters]" if more else text


def _visible(text: str) -> str:
    """`text`, each character replaced by a visible form where it is not plainly printable."""
    categories = {char: unicodedata.category(char) for char in set(text)}
    if _MARKS.isdisjoint(categories.values()):
        return text.translate({ord(char): _visible_char(char, category) for char, category in categories.items()})
    out: list[str] = []
    marks = 0
    for char in text:
        category = categories[char]
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MAX_COMBINING:
            out.append(_visible_char(char, category))
    return "".join(out)


def _visible_char(char: str, category: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or (category == "Zs" and char != " "):
        return f"⟨U+{code:04X}⟩"
    return char
