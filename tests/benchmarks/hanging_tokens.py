"""How late the event loop is while eight tokens hang, beside the same loop without any token, in turns.

A ticker asks to be woken each millisecond; its lateness is what a key press would wait. Each token is SoftHSM2 behind
a module that never comes back from its call; at the deadline its worker is killed, and the next call starts another.
The lateness of the loop alone is this machine's own noise: what the tokens add is the difference.

python -m tests.benchmarks.hanging_tokens [ROUNDS]
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from checks.hsm.errors import TokenNotResponding
from checks.hsm.token import Token
from runbook.secrets import Redactor
from tests.hsm.shim import C_GET_TOKEN_INFO, Shim
from tests.softhsm import SoftHsm

TOKENS = 8
DEADLINE = 1.0
CALLS = 2
TICK = 0.001


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        shims = _shims(Path(name))
        pairs = [asyncio.run(_round(shims)) for _ in range(rounds)]
    for title, side in (("nothing at work", 0), (f"{TOKENS} tokens hang", 1)):
        figures = [_figures(pair[side]) for pair in pairs]
        p50, p99, worst = (statistics.median(one[place] for one in figures) * 1e3 for place in range(3))
        most = max(one[2] for one in figures) * 1e3
        print(
            f"{title:<18} p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {worst:.1f} ms (medians); of all rounds {most:.1f} ms"
        )


async def _round(shims: list[Shim]) -> tuple[list[float], list[float]]:
    """Lateness of each tick, in seconds: alone, then while the tokens hang."""
    tokens = [Token(f"t{number}", shim.profile(), Redactor(), deadline=DEADLINE) for number, shim in enumerate(shims)]
    for shim in shims:
        shim.faults()
    for token in tokens:
        await token.info()
    alone = await _lateness(lambda: asyncio.sleep(CALLS * DEADLINE))
    for shim in shims:
        shim.faults(f"fault {C_GET_TOKEN_INFO} hang")
    hanging = await _lateness(lambda: asyncio.gather(*map(_calls, tokens)))
    await asyncio.gather(*(token.close() for token in tokens))
    return alone, hanging


async def _calls(token: Token) -> None:
    for _ in range(CALLS):
        try:
            await token.info()
        except TokenNotResponding:
            continue
        raise SystemExit(f"{token.name} did not hang")


async def _lateness(work: Callable[[], Awaitable[object]]) -> list[float]:
    late: list[float] = []
    ticking = asyncio.create_task(_tick(late))
    await work()
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    return late


async def _tick(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - due)


def _figures(late: list[float]) -> tuple[float, float, float]:
    ordered = sorted(late)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def _shims(folder: Path) -> list[Shim]:
    module = folder / "shim.so"
    source = Path(__file__).parents[1] / "hsm" / "shim.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", module, source, "-ldl"], check=True)
    made = SoftHsm(folder / "hsm").create()
    made.init_token()
    shims = []
    for number in range(TOKENS):
        place = folder / str(number)
        place.mkdir()
        shims.append(Shim(module, place, made.copy_to(place / "hsm")))
    return shims


if __name__ == "__main__":
    main()
