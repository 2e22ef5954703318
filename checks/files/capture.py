"""Output of a command as it comes: its head and tail kept, its lines passed on, all of it made harmless."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runbook.secrets import RedactedStream, Redactor
from runbook.text import MAX_LINE, clean, clean_line

LINES_A_SECOND = 200
"""Lines passed on live; more than a person can follow are left out and counted."""

SHOWN = 128 * 1024
"""Bytes of a stream that are shown and recorded: the first half and the last half."""

_AROUND = 16 * 1024
"""Bytes beside a cut that are looked at, so that a secret is recognised which the cut goes through."""


@dataclass(frozen=True, slots=True)
class StreamText:
    """What is kept of one stream: all of it, or its head and its tail."""

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    left_out: int
    """Bytes between head and tail that were not kept."""
    redactor: Redactor | None = field(repr=False)

    @property
    def raw(self) -> bytes:
        """For parsers: foreign bytes, neither redacted nor cleaned; never shown or stored."""
        return self.head + self.tail

    @property
    def plain(self) -> str:
        """For patterns: decoded as UTF-8 and redacted, not cleaned."""
        text = _decoded(self.raw)
        return self.redactor(text) if self.redactor else text

    @property
    def text(self) -> str:
        """For people: redacted, cleaned, at most `SHOWN` bytes of it; where something was left out, a line says so."""
        if not self.left_out and len(self.raw) <= SHOWN:
            return self._harmless(self.raw)
        head, tail = (self.head, self.tail) if self.left_out else (self.raw, self.raw)
        half = min(SHOWN // 2, len(head) - _AROUND, len(tail) - _AROUND)
        # Cut at line ends where there are any: half a line is misread.
        head_end = head.rfind(b"\n", 0, half) + 1 or min(half, len(head))
        tail_start = max(len(tail) - half, 0)
        tail_start = tail.find(b"\n", tail_start) + 1 or tail_start
        left_out = self.left_out + len(self.raw) - head_end - (len(tail) - tail_start)
        first = self._harmless(head[:head_end], after=head[head_end:][:_AROUND])
        last = self._harmless(tail[tail_start:], before=tail[:tail_start][-_AROUND:])
        return "\n".join((first.removesuffix("\n"), f"… [{left_out} bytes left out] …", last))

    @property
    def shortened(self) -> bool:
        """Whether `text` leaves something out."""
        return bool(self.left_out) or len(self.raw) > SHOWN

    def pieces(self) -> Iterator[bytes]:
        """For an attachment: all that was kept, byte for byte; where some was not, a line says so."""
        if not self.left_out:
            yield self.raw
            return
        left_out = self.left_out + 2 * _AROUND
        yield self._redacted(self.head[:-_AROUND], after=self.head[-_AROUND:])
        yield f"\n… [{left_out} bytes left out] …\n".encode()
        yield self._redacted(self.tail[_AROUND:], before=self.tail[:_AROUND])

    def _redacted(self, data: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
        """What a cut goes through is recognised by what stands on the other side of it."""
        if self.redactor is None:
            return data
        parts = [part.decode("utf-8", "surrogateescape") for part in (before, data, after)]
        return self.redactor.part(*parts).encode("utf-8", "surrogateescape")

    def _harmless(self, data: bytes, *, before: bytes = b"", after: bytes = b"") -> str:
        """`data` redacted and cleaned; a secret that reaches into what stands around it is recognised too."""
        text = _decoded(data)
        if self.redactor:
            text = self.redactor.part(_decoded(before), text, _decoded(after))
        return clean(text, limit=len(text))


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


class Capture:
    """The first and the last bytes of a stream, in bounded memory."""

    def __init__(self, keep: int) -> None:
        self._head_limit = keep // 2 + _AROUND
        self._tail_limit = keep - keep // 2 + _AROUND
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

    def kept(self, redactor: Redactor | None) -> StreamText:
        """What was kept."""
        self._trim()
        return StreamText(bytes(self._head), bytes(self._tail), self._left_out, redactor)


class LineFeed:
    """Splits streams into lines for live display, at a bounded rate and length."""

    def __init__(self, on_line: Callable[[str], None] | None, redactor: Redactor | None) -> None:
        self._on_line = on_line
        self._redactor = redactor
        self._partial: dict[int, str] = {}
        self._redacting: dict[int, RedactedStream] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        self._window = 0.0
        self._passed = 0
        self._left_out = 0

    def add(self, stream: int, chunk: bytes) -> None:
        """More of the stream with that number."""
        if self._on_line is None:
            return
        decoder = self._decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")(errors="replace"))
        text = decoder.decode(chunk)
        if self._redactor is not None:
            # As a whole, not line by line: an encoded secret can go over several lines.
            text = self._redacting.setdefault(stream, self._redactor.stream()).feed(text)
        self._take(stream, text)

    def _take(self, stream: int, text: str) -> None:
        text = self._partial.get(stream, "") + text
        *lines, rest = re.split(r"\r\n|\n|\r", text)
        for line in lines:
            self._pass(line)
        if len(rest) > MAX_LINE:
            self._pass(rest)
            rest = ""
        self._partial[stream] = rest

    def close(self) -> None:
        """The streams have ended: pass on what was not ended by a line break."""
        for stream, redacting in self._redacting.items():
            self._take(stream, redacting.finish())
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
            self._on_line(clean_line(line))
