"""How long redaction takes, and how long it keeps the event loop from anything else.

- Output in pieces of 64 kB as a command's comes, with no, one and three known secrets: processor time for a megabyte,
  and for the worst piece.
- A command that prints 20 MB: the longest time in which the event loop did nothing else, from the command's start until
  its outcome is there.

python -m tests.benchmarks.redaction
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from checks.hosts.command import CommandCheck
from runbook.record.attachments import store
from runbook.secrets import Redactor, Secret
from tests.stand_in import StandIn

SIZE = 2_000_000
"""Characters of each kind of text."""

PIECE = 64 * 1024

PRINTED = 20_000_000
"""Bytes."""

SECRETS = (b"648219", b"0123456789abcdef", b"correct horse battery")

LIMIT = 0.05
"""Seconds of processor time that a megabyte of a log may take."""

TICK = 0.001


def source(_: random.Random) -> str:
    """Programs, as a quiet example of text."""
    return "\n".join(path.read_text() for path in sorted(Path(asyncio.__file__).parent.glob("*.py")))


def log(chance: random.Random) -> str:
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(2000)]
    lines: list[str] = []
    while len(lines) * 100 < SIZE:
        said = " ".join(chance.choices(words, k=8))
        lines.append(f"2026-11-21T12:00:{chance.random():.6f} {said} id={chance.randbytes(8).hex()}")
    return "\n".join(lines)


def encoded(chance: random.Random) -> str:
    return base64.encodebytes(chance.randbytes(SIZE * 3 // 4)).decode()


def dump(chance: random.Random) -> str:
    return "\n".join(f"{at:08x}  {chance.randbytes(16).hex(' ')}  |{'.' * 16}|" for at in range(0, SIZE // 5, 16))


def knowing(secrets: Sequence[bytes]) -> tuple[Redactor, float]:
    """A redactor that is ready, and how long it held up who told it of the secrets."""
    redactor = Redactor()
    began = time.thread_time()
    for secret in secrets:
        redactor.learn(Secret(secret))
    learned = time.thread_time() - began
    for thread in threading.enumerate():
        if thread.name == "redactor":
            thread.join()
    return redactor, learned


def fed(redactor: Redactor, text: str) -> tuple[float, float]:
    """Seconds of processor time for a megabyte, and for the worst piece."""
    stream = redactor.stream()
    taken: list[float] = []
    out: list[str] = []
    for at in range(0, len(text), PIECE):
        began = time.thread_time()
        out.append(stream.feed(text[at : at + PIECE]))
        taken.append(time.thread_time() - began)
    out.append(stream.finish())
    assert "".join(out) == text
    return sum(taken) / len(text) * 1e6, max(taken)


class Surroundings(StandIn):
    """Stores as the engine does: in a thread."""

    async def attach(self, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        return (await asyncio.to_thread(store, self.folder, content, self.redactor)).sha256


async def lateness(secrets: Sequence[bytes], say: Callable[[str], None]) -> None:
    """Print how late the event loop is while a command prints."""
    with tempfile.TemporaryDirectory() as name:
        ctx = Surroundings(Path(name), redactor=knowing(secrets)[0])
        printed = Path(name, "printed")
        await asyncio.to_thread(printed.write_text, log(random.Random(4)))  # noqa: S311 - the same text each time
        late: list[float] = []
        ticking = asyncio.create_task(_tick(late))
        began = time.perf_counter()
        outcome = await ctx.run(CommandCheck, run=["cat", *[str(printed)] * (PRINTED // SIZE)])
        took = time.perf_counter() - began
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
    say(f"{len(secrets)} secrets: {took:.2f} s, held up at most {max(late) * 1000:.0f} ms  ({outcome.summary})")


async def _tick(late: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - began - TICK)


def main() -> int:
    slowest = 0.0
    for count in (0, 1, 3):
        redactor, learned = knowing(SECRETS[:count])
        print(f"{count} secrets known, learned in {learned * 1000:.0f} ms")
        for make in (source, log, encoded, dump):
            text = make(random.Random(4))[:SIZE]  # noqa: S311 - the same text each time
            megabyte, worst = fed(redactor, text)
            print(f"  {make.__name__:8} {megabyte * 1000:6.1f} ms/MB, worst piece {worst * 1000:5.1f} ms")
            if make is log:
                slowest = max(slowest, megabyte)
    print(f"a command that prints {PRINTED / 1e6:.0f} MB:")
    for count in (0, 3):
        asyncio.run(lateness(SECRETS[:count], lambda line: print(" ", line)))
    return 0 if slowest < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
