"""Copies of a secret in the memory of a process, as another process of root's sees it (proc(5), /proc/PID/mem)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RUN = 6
"""Characters in a row that count as a copy, in either direction."""

ENCODINGS = ("utf-8", "utf-16-le", "utf-32-le")
"""Python keeps texts with one, two or four bytes a character; without its zeros at the end, each is found in either
order of bytes.
"""

_LONG = 12
"""Characters from which on not every run is looked for, but every third; then eight in a row are found for certain."""

_AROUND = 24

_BLOCK = 1 << 16
_NOTHING = bytes(_BLOCK)


@dataclass(frozen=True, slots=True)
class Copy:
    """One place where at least `RUN` characters of a secret stand."""

    at: int
    form: str
    region: str
    around: bytes

    def __str__(self) -> str:
        return f"{self.at:x} {self.region or 'anonymous'} {self.form}: {self.around!r}"


def copies(pid: int, secret: str, run: int = RUN) -> list[Copy]:
    """Every place in the readable and writable memory of the process where so many of its characters are in a row.

    Raises PermissionError where the process is not ours.
    """
    forms = _forms(secret, run)
    return [copy for start, region, data in _memory(pid) for copy in _found(forms, start, region, data)]


def _forms(secret: str, run: int) -> Mapping[str, Sequence[bytes]]:
    step = 1 if len(secret) <= _LONG else 3
    made: dict[str, list[bytes]] = {}
    for way, text in (("", secret), ("reversed ", secret[::-1])):
        runs = [text[at : at + run] for at in range(0, max(1, len(text) - run + 1), step)]
        for encoding in ENCODINGS:
            made[way + encoding] = [part.encode(encoding).rstrip(b"\0") for part in runs]
        made[way + "hex"] = [part.encode().hex().encode() for part in runs]
    return made


def _found(forms: Mapping[str, Sequence[bytes]], start: int, region: str, data: bytes) -> Iterator[Copy]:
    for form, runs in forms.items():
        last = -(10**6)
        for at in sorted(place for run in runs for place in _places(run, data)):
            if at - last > 4 * RUN:  # what overlaps is one
                yield Copy(start + at, form, region, data[max(0, at - _AROUND) : at + 2 * _AROUND])
            last = at


def _places(run: bytes, data: bytes) -> Iterator[int]:
    at = data.find(run)
    while at >= 0:
        yield at
        at = data.find(run, at + 1)


def _memory(pid: int) -> Iterator[tuple[int, str, bytes]]:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode, _, _, _, *name = line.split(maxsplit=5)
            if not mode.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue  # mapped by a device, or gone meanwhile
            yield from ((start + at, name[0] if name else "", piece) for at, piece in _written(data))


def _written(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The parts that are not all zeros, each in one piece: most of a thread's stack has never been touched."""
    began: int | None = None
    for at in range(0, len(data) + 1, _BLOCK):
        block = data[at : at + _BLOCK]
        if block and block != _NOTHING[: len(block)]:
            began = at if began is None else began
        elif began is not None:
            yield began, data[began:at]
            began = None
    if began is not None:
        yield began, data[began:]
