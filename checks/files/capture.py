"""Output of a command as it comes: its head and tail kept, its lines passed on, all of it made harmless."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from runbook.secrets import Redactor
from runbook.text import MAX_LINE, clean, clean_line

LINES_A_SECOND = 200
"""Lines passed on live; more than a person can follow are left out and counted."""


@dataclass(frozen=True, slots=True)
class StreamText:
    """What is kept of one stream."""

    text: str
    """Decoded as UTF-8, redacted and cleaned; where something was left out, a line says so."""
    raw: bytes = field(repr=False)
    """The same as bytes, for parsers: foreign, neither redacted nor cleaned; not for people."""
    left_out: int = 0
    """Bytes between head and tail that were not kept."""

    def __str__(self) -> str:
        return self.text


class Capture:
    """The first and the last bytes of a stream, in bounded memory."""

    def __init__(self, keep: int) -> None:
        self._head_limit = keep // 2
        self._tail_limit = keep - keep // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, chunk: bytes) -> None:
        room = self._head_limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[max(room, 0) :]
        # Twice the limit before cutting, so that not every chunk moves the whole tail.
        if len(self._tail) > 2 * self._tail_limit:
            self._trim()

    def _trim(self) -> None:
        surplus = len(self._tail) - self._tail_limit
        if surplus > 0:
            self._left_out += surplus
            del self._tail[:surplus]

    def text(self, redactor: Redactor | None) -> StreamText:
        """What was kept, as text."""
        self._trim()
        head, tail = bytes(self._head), bytes(self._tail)
        if not self._left_out:
            return StreamText(_harmless(head + tail, redactor), head + tail)
        # Cut at line ends where there are any: half a line is misread, and half a secret is not recognised.
        head = head[: head.rfind(b"\n") + 1] or head
        tail = tail[tail.find(b"\n") + 1 :] or tail
        left_out = self._left_out + len(self._head) + len(self._tail) - len(head) - len(tail)
        said = f"… [{left_out} bytes left out] …"
        shown = "\n".join((_harmless(head, redactor).removesuffix("\n"), said, _harmless(tail, redactor)))
        return StreamText(shown, head + tail, left_out)


class LineFeed:
    """Splits streams into lines for live display, at a bounded rate and length."""

    def __init__(self, on_line: Callable[[str], None] | None, redactor: Redactor | None) -> None:
        self._on_line = on_line
        self._redactor = redactor
        self._partial: dict[int, str] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._window = 0.0
        self._passed = 0
        self._left_out = 0

    def add(self, stream: int, chunk: bytes) -> None:
        """More of the stream with that number."""
        if self._on_line is None:
            return
        decoder = self._decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")(errors="replace"))
        text = self._partial.get(stream, "") + decoder.decode(chunk)
        *lines, rest = re.split(r"\r\n|\n|\r", text)
        for line in lines:
            self._pass(line)
        if len(rest) > MAX_LINE:
            self._pass(rest)
            rest = ""
        self._partial[stream] = rest

    def close(self) -> None:
        """The streams have ended: pass on what was not ended by a line break."""
        for rest in self._partial.values():
            if rest:
                self._pass(rest)
        self._partial.clear()
        self._say_left_out()

    def _pass(self, line: str) -> None:
        now = time.monotonic()
        if now - self._window >= 1.0:
            self._say_left_out()
            self._window, self._passed = now, 0
        if self._passed >= LINES_A_SECOND:
            self._left_out += 1
            return
        self._passed += 1
        self._emit(line)

    def _say_left_out(self) -> None:
        if self._left_out:
            self._emit(f"… [{self._left_out} more lines]")
            self._left_out = 0

    def _emit(self, line: str) -> None:
        if self._on_line is not None:
            self._on_line(clean_line(self._redactor(line) if self._redactor else line))


def _harmless(data: bytes, redactor: Redactor | None) -> str:
    text = data.decode("utf-8", errors="replace")
    return clean(redactor(text) if redactor else text, limit=len(text))
