"""A line that is made of single keys as a terminal sends them: what comes all at once was not typed."""

from __future__ import annotations

import codecs
import re
import unicodedata

BURST = 4
"""Characters, the Enter among them, that no fingers send in one read; a slow line may deliver two or three at once."""

ASK_FOR_MARKS, NO_MORE_MARKS = "\x1b[?2004h", "\x1b[?2004l"
"""Bracketed paste mode (xterm's control sequences): a terminal that knows it marks what is pasted."""

_PASTE = "\x1b[200~"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])", re.DOTALL)
"""A key that is no letter: CSI, SS3, or one with Alt (ECMA-48 §5.4)."""
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")

_ERASE, _ERASE_LINE, _ERASE_WORD, _END = "\x7f\b", "\x15", "\x17", "\x04"


class Letters:
    """Fed with each read of the terminal. Letters, backspace, ctrl-u, ctrl-w and Enter count; other keys do nothing."""

    def __init__(self) -> None:
        self.text = ""
        self.done = False
        """Enter was pressed."""
        self.pasted = False
        """Something came all at once; nothing that was typed counts then."""
        self.ended = False
        """Ctrl-d on an empty line."""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> str:
        """What the terminal has to show for this read."""
        keys = self._rest + self._decoder.decode(chunk)
        unfinished = _UNFINISHED.search(keys)
        self._rest = unfinished.group() if unfinished else ""
        keys = keys[: unfinished.start()] if unfinished else keys
        plain = _SEQUENCE.sub("", keys)
        if _PASTE in keys or sum(key.isprintable() or key in "\r\n" for key in plain) >= BURST:
            self.text, self.pasted = "", True
            return "\n"
        return "".join(self._key(key) for key in plain)

    def _key(self, key: str) -> str:
        if self.done or self.ended:
            return ""
        if key in "\r\n":
            self.done = True
            return "\n"
        if key == _END:
            self.ended = not self.text
            return "\n" if self.ended else ""
        if key in _ERASE:
            return self._erase(1)
        if key == _ERASE_LINE:
            return self._erase(len(self.text))
        if key == _ERASE_WORD:
            return self._erase(len(self.text) - len(re.sub(r"\S*\s*\Z", "", self.text)))
        if key.isprintable():
            self.text += key
            return key
        return ""

    def _erase(self, count: int) -> str:
        kept = self.text[: len(self.text) - count]
        cells = sum(_cells(letter) for letter in self.text[len(kept) :])
        self.text = kept
        return "\b \b" * cells


def _cells(letter: str) -> int:
    """Columns of a terminal that the letter takes."""
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
