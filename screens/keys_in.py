"""What the terminal sends, taken byte by byte: a secret that is typed or pasted never stands in memory as one piece.

Textual's own driver reads up to four kilobytes at once and decodes them into one text. Whoever types fast, or whose
line delivers several keys together, leaves their PIN in such a text, which nobody can wipe.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

_BEGINS, _ENDS = b"\x1b[200~", b"\x1b[201~"
"""Around what is pasted, in a terminal that marks it (xterm's control sequences, bracketed paste mode)."""

LONGEST_PASTE = 1 << 20
"""Bytes taken of a paste."""

_KITTY = re.compile(r"\x1b\[[\d:]+(?:;(\d*)(?::\d+)?(?:;[\d:]*)?)?u")
"""A key in kitty's keyboard protocol: code point, modifiers, text."""

_CAPS_LOCK = 64
"""Of the modifiers there, which are sent with one added to them."""


@dataclass
class CapsLock(Message):
    """The terminal told whether Caps Lock is on; only one with kitty's keyboard protocol does."""

    on: bool


class KeysIn:
    """Fed with single bytes; gives Textual's events. `pasting` says whether anything takes a paste now."""

    def __init__(self, pasting: Callable[[], bool], *, debug: bool = False) -> None:
        self._parser = _Parser(debug)
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._pasting = pasting
        self._last: deque[int] = deque(maxlen=len(_BEGINS))
        self._in_paste = False
        self._taken: bytearray | None = None
        """What is pasted; None where nothing takes it, and then none of it is kept."""
        self._caps_lock: bool | None = None

    def feed(self, byte: bytearray) -> Iterator[Message]:
        """The events that this one byte completes."""
        self._last.append(byte[0])
        mark = bytes(self._last) if byte == b"~" else b""
        if not self._in_paste:
            if char := self._decode(byte):
                yield from self._told(self._parser.feed(char))
            if mark == _BEGINS:
                self._in_paste = True
                self._taken = bytearray() if self._pasting() else None
            return
        if self._taken is not None and len(self._taken) < LONGEST_PASTE:
            self._taken += byte
        if mark == _ENDS:
            # Textual's parser saw the beginning and sees the end, and nothing in between.
            yield from self._told(self._parser.feed(_ENDS.decode()))
            pasted = (self._taken or b"").removesuffix(_ENDS).decode(errors="replace")
            self._in_paste, self._taken = False, None
            yield events.Paste(pasted.replace("\0", ""))

    def tick(self) -> Iterator[Message]:
        """What has become clear by waiting: whether an escape was the key of that name."""
        yield from self._told(self._parser.tick())

    def _told(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            if self._parser.caps_lock is not None and self._parser.caps_lock != self._caps_lock:
                self._caps_lock = self._parser.caps_lock
                yield CapsLock(self._caps_lock)
            if not isinstance(message, events.Paste):
                yield message


class _Parser(XTermParser):
    """Looks at the one modifier that Textual leaves out, and keeps no key that was pressed."""

    caps_lock: bool | None = None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if found := _KITTY.fullmatch(sequence):
            self.caps_lock = bool((int(found[1] or 1) - 1) & _CAPS_LOCK)
        return super()._sequence_to_key_events(sequence, alt)

    def _parse_extended_key(self, sequence: str) -> list[events.Key] | None:  # type: ignore[override] # not cached
        """Without the cache, which would hold the last thousand keys in the order in which they were pressed."""
        keys: list[events.Key] | None = XTermParser._parse_extended_key.__wrapped__(self, sequence)
        return keys
