"""What the steps said while they ran: the newest lines in memory, all the others in a private file.

A step may say millions of lines. What memory holds of them is bounded (`HELD`, `HELD_CHARS`, and `READ` pieces that
were looked at); the file has no name, so nobody else can open it, and it is gone with the program, however that ends.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

HELD = 4_096
"""Lines of all steps held in memory before older ones are put into the file."""

HELD_CHARS = 2_000_000
"""Characters of them."""

PIECE = 512
"""Lines written or read at a time, at most."""

PIECE_CHARS = 128 * 1024
"""Characters after which a piece is full; a longer line is a piece of its own."""

PIECES = 32
"""Pieces written in one go, at most."""

READ = 16
"""Pieces read back that are held."""

LOST = "(this line could not be kept: no room on the disk for it)"


class Spill:
    """The file; what is written to it is never changed. Every method blocks and may be called from any thread."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._end = 0

    def append(self, data: bytes) -> int:
        """Its offset; raises OSError. From one thread at a time."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the program
        offset = self._end
        written = 0
        while written < len(data):
            written += os.pwrite(self._file.fileno(), data[written:], offset + written)
        self._end += len(data)
        return offset

    def read(self, offset: int, size: int) -> bytes:
        """Raises OSError."""
        return b"" if self._file is None else os.pread(self._file.fileno(), size, offset)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines in the file."""

    lines: int
    offset: int
    size: int
    lost: bool = False


class Output:
    """The lines of one attempt at a step, by their numbers from 0."""

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self._firsts = array("Q")
        self._offsets = array("Q")
        self._sizes = array("Q")
        """Of each piece in the file: its first line, where it is, its bytes."""
        self._lost: set[int] = set()
        """Pieces that the disk had no room for."""
        self._put_away = 0
        """Lines in the file; all others are in `_tail`."""
        self._tail: deque[str] = deque()
        self.chars = 0
        """Characters of the lines that are not in the file."""
        self._read: OrderedDict[int, list[str]] = OrderedDict()

    def __len__(self) -> int:
        return self._put_away + len(self._tail)

    @property
    def held(self) -> int:
        """Lines that are not in the file."""
        return len(self._tail)

    def add(self, line: str) -> None:
        self._tail.append(line)
        self.chars += len(line)

    def line(self, number: int) -> str | None:
        """None: it has to be read first (`read`)."""
        if number >= self._put_away:
            return self._tail[number - self._put_away]
        piece = bisect_right(self._firsts, number) - 1
        lines = self._read.get(piece)
        return None if lines is None else lines[number - self._firsts[piece]]

    async def read(self, number: int) -> None:
        """Bring the piece with that line into memory."""
        if number >= self._put_away:
            return
        piece = bisect_right(self._firsts, number) - 1
        if piece not in self._read:
            self._read[piece] = await asyncio.to_thread(self._piece, piece)
        self._read.move_to_end(piece)
        while len(self._read) > READ:
            self._read.popitem(last=False)

    def _piece(self, piece: int) -> list[str]:
        following = self._firsts[piece + 1] if piece + 1 < len(self._firsts) else self._put_away
        count = following - self._firsts[piece]
        if piece in self._lost:
            return [LOST] * count
        try:
            lines = self._spill.read(self._offsets[piece], self._sizes[piece]).decode().split("\n")
        except OSError:
            lines = []
        return lines if len(lines) == count else [LOST] * count

    def every(self) -> Callable[[], Iterator[str]]:
        """A function that gives all lines there are now, in order; it reads the file and may run in another thread."""
        pieces, tail = len(self._firsts), tuple(self._tail)

        def lines() -> Iterator[str]:
            for piece in range(pieces):
                yield from self._piece(piece)
            yield from tail

        return lines

    async def put_away(self, most: int, most_chars: int) -> tuple[int, int]:
        """Put about so much of what is held into the file, the oldest first; how many lines, and their characters."""
        lines: list[str] = []
        for line in islice(self._tail, PIECES * PIECE):
            if most <= 0 and most_chars <= 0:
                break
            lines.append(line)
            most, most_chars = most - 1, most_chars - len(line)
        pieces = await asyncio.to_thread(self._write, lines)
        for piece in pieces:
            if piece.lost:
                self._lost.add(len(self._firsts))
            self._firsts.append(self._put_away)
            self._offsets.append(piece.offset)
            self._sizes.append(piece.size)
            self._put_away += piece.lines
        for _ in lines:
            self._tail.popleft()
        chars = sum(map(len, lines))
        self.chars -= chars
        return len(lines), chars

    def _write(self, lines: Sequence[str]) -> list[_Piece]:
        """In another thread."""
        pieces, at = [], 0
        while at < len(lines):
            end, chars = at + 1, len(lines[at])
            while end < min(len(lines), at + PIECE) and chars + len(lines[end]) <= PIECE_CHARS:
                chars += len(lines[end])
                end += 1
            data = "\n".join(lines[at:end]).encode("utf-8", "backslashreplace")
            try:
                pieces.append(_Piece(end - at, self._spill.append(data), len(data)))
            except OSError:
                pieces.append(_Piece(end - at, 0, 0, lost=True))
            at = end
        return pieces


class Outputs:
    """Those of all steps."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._of: dict[str, Output] = {}
        self._held = self._chars = 0
        self._keeping: asyncio.Task[None] | None = None

    def of(self, step: str) -> Output | None:
        """None: it has said nothing."""
        return self._of.get(step)

    def restart(self, step: str) -> None:
        """A new attempt: what the one before said is in its evidence, as far as it counts."""
        gone = self._of.pop(step, None)
        if gone is not None:
            self._held -= gone.held
            self._chars -= gone.chars

    def add(self, step: str, line: str) -> None:
        """Cheap, and from the event loop."""
        output = self._of.get(step)
        if output is None:
            output = self._of[step] = Output(self._spill)
        output.add(line.replace("\n", "␊") if "\n" in line else line)
        self._held += 1
        self._chars += len(line)
        if (self._held > HELD or self._chars > HELD_CHARS) and self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="output is put away")

    async def settled(self) -> None:
        """Until nothing more is being put away."""
        if self._keeping is not None:
            await self._keeping

    async def _keep(self) -> None:
        """Until half of what may be held is free again; the oldest first."""
        try:
            while self._held > HELD // 2 or self._chars > HELD_CHARS // 2:
                output = next((one for one in self._of.values() if one.held), None)
                if output is None:
                    return
                count, chars = await output.put_away(self._held - HELD // 2, self._chars - HELD_CHARS // 2)
                if any(one is output for one in self._of.values()):
                    self._held -= count
                    self._chars -= chars
        finally:
            self._keeping = None
