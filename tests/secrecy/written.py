"""What a program wrote to a terminal, taken apart: text, and control sequences that are told from each other."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_TOKEN = re.compile(
    r"(?P<csi>\x1b\[[0-?]*[ -/]*[@-~])"
    r"|(?P<string>\x1b[\]P^_X].*?(?:\x07|\x1b\\|\Z))"
    r"|(?P<escape>\x1b[ -/]*.)"
    r"|(?P<text>[^\x1b]+)"
    r"|(?P<rest>\x1b)",
    re.DOTALL,
)

_MODES = "7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048"

ALLOWED = re.compile(
    r"\x1b\]22;[a-z-]+\x07"  # the shape of the mouse's pointer
    r"|\x1b\[(?:"
    r"[0-9;:]*m"  # SGR: colours and attributes
    r"|(?:[0-9]+;[0-9]+)?H"  # CUP: the cursor to a place
    rf"|\?(?:{_MODES})[hl]"  # DECSET, DECRST: screen, cursor, wrapping, mouse, focus, paste, synchronised output
    r"|\?(?:2026|2048)\$p"  # DECRQM: whether the terminal has these
    r"|>[0-9]+u|<u"  # the keyboard protocol of kitty, on and off
    r")"
)
"""All that Textual's driver and compositor write for these screens."""


def unexpected(written: bytes) -> Counter[str]:
    """Everything in it but harmless text and the sequences that are allowed."""
    found: Counter[str] = Counter()
    for token in _TOKEN.finditer(written.decode(errors="backslashreplace")):
        if token["text"] is None:
            if not ALLOWED.fullmatch(token[0]):
                found[repr(token[0][:80])] += 1
            continue
        for char in token["text"]:
            if char not in "\r\n" and unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
                found[f"U+{ord(char):04X}"] += 1
    return found


def text_of(written: bytes) -> str:
    """The text alone."""
    return "".join(token["text"] or "" for token in _TOKEN.finditer(written.decode(errors="backslashreplace")))
