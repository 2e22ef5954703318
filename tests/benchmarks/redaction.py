"""How long redaction takes: 4 MB of output with three known secrets, beside merely copying it.

python -m tests.benchmarks.redaction
"""

from __future__ import annotations

import base64
import random
import sys
import time
from collections.abc import Callable

from runbook.secrets import Redactor, Secret

SIZE = 4_000_000
"""Characters."""

SECRETS = (b"648219", b"0123456789abcdef", b"correct horse battery")
LIMIT = 1.0
"""Seconds that ordinary output may take; a search of one piece holds up the other threads for about 2 ms."""

TIMES = 3


def log(chance: random.Random) -> str:
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(2000)]
    lines: list[str] = []
    while len(lines) * 100 < SIZE:
        said = " ".join(chance.choices(words, k=8))
        lines.append(
            f"2026-11-21T12:00:{chance.random():.6f} {said} id={chance.randbytes(8).hex()} {chance.randbytes(9)!r}"
        )
    return "\n".join(lines)


def encoded(chance: random.Random) -> str:
    return base64.encodebytes(chance.randbytes(SIZE * 3 // 4)).decode()


def dump(chance: random.Random) -> str:
    return "\n".join(f"{at:08x}  {chance.randbytes(16).hex(' ')}  |{'.' * 16}|" for at in range(0, SIZE // 5, 16))


def best(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> int:
    redact = Redactor()
    began = time.perf_counter()
    for secret in SECRETS:
        redact.learn(Secret(secret))
    redact("compiled now")
    print(f"learning {len(SECRETS)} secrets: {(time.perf_counter() - began) * 1000:.0f} ms")
    taken = {}
    for make in (log, encoded, dump):
        text = make(random.Random(4))[:SIZE]  # noqa: S311 - the same text each time
        assert redact(text) == text
        copied = best(lambda text=text: (text + "x")[:-1])  # type: ignore[misc]  # bound at once
        taken[make.__name__] = best(lambda text=text: redact(text))  # type: ignore[misc]  # bound at once
        ratio = taken[make.__name__] / copied
        print(f"{make.__name__:8} {taken[make.__name__] * 1000:6.0f} ms, {ratio:5.0f} times a copy of it")
    return 0 if taken["log"] < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
