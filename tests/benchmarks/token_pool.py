"""Token workers beside python-pkcs11 in one process: start-up and signatures on SoftHSM2, as ratios of one run.

Two workers have a token each. Throughput is that of two callers for each worker, so that the worker has the next
request while the program takes the last answer; one caller waits a round trip for each signature.

python -m tests.benchmarks.token_pool
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from tests.softhsm import LABEL, MODULE, PIN, SoftHsm

SIGNATURES = 1000
ROUNDS = 7
SECOND = "second"

DIRECT = """
import json, sys, time
start = time.perf_counter()
import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass
module, pin, count = sys.argv[1], sys.stdin.readline().strip(), int(sys.argv[2])
token = next(iter(pkcs11.lib(module).get_tokens(token_label="ccat-intermediate")))
ready = time.perf_counter()
with token.open(user_pin=pin) as session:
    keys = session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: b"\\x01"})
    key = next(iter(keys))
    keys.close()
    begin = time.perf_counter()
    for _ in range(count):
        key.sign(bytes(48), mechanism=Mechanism.ECDSA)
    print(json.dumps([ready - start, (time.perf_counter() - begin) / count]))
"""


def direct(softhsm: SoftHsm) -> tuple[float, float]:
    """Seconds to the first token, and for one signature, without the pool."""
    done = subprocess.run(
        [sys.executable, "-c", DIRECT, MODULE, str(SIGNATURES)],
        env=os.environ | softhsm.env,
        input=PIN + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    start, sign = json.loads(done.stdout)
    return start, sign


async def pooled(softhsm: SoftHsm) -> tuple[float, float, float, float]:
    """The same through a worker, with one caller and with two, and through two workers."""
    tokens = [Token(label, softhsm.profile(label=label), Redactor()) for label in (LABEL, SECOND)]
    start = await _seconds(tokens[0].select)
    for token in tokens:
        await token.login(Secret.from_text(PIN))
        await _sign(token, 1)
    one_caller = await _seconds(lambda: _sign(tokens[0], SIGNATURES)) / SIGNATURES
    one_worker = await _seconds(lambda: _callers(tokens[:1])) / SIGNATURES
    two_workers = await _seconds(lambda: _callers(tokens)) / (2 * SIGNATURES)
    for token in tokens:
        await token.close()
    return start, one_caller, one_worker, two_workers


async def _sign(token: Token, count: int) -> None:
    for _ in range(count):
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))


async def _callers(tokens: Sequence[Token]) -> None:
    """Two callers for each token, SIGNATURES signatures for each token."""
    await asyncio.gather(*(_sign(token, SIGNATURES // 2) for token in tokens for _ in range(2)))


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


def main() -> None:
    """Interleave the rounds, so that both see the same machine; print medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        softhsm = SoftHsm(Path(folder) / "hsm").create()
        for label in (LABEL, SECOND):
            softhsm.init_token(label)
            softhsm.keypair("01", label=label)
        rounds = [(direct(softhsm), asyncio.run(pooled(softhsm))) for _ in range(ROUNDS)]
    start, sign = (statistics.median(one[index] for one, _ in rounds) for index in range(2))
    print(f"direct, one process: first token {start * 1e3:.1f} ms, one signature {sign * 1e3:.3f} ms")
    for index, name in enumerate(("first token", "one caller", "one worker", "two workers")):
        ours = statistics.median(pool[index] for _, pool in rounds)
        ratio = statistics.median(alone[min(index, 1)] / pool[index] for alone, pool in rounds)
        print(f"pool, {name:<12}{ours * 1e3:.3f} ms, direct / pool round by round: median {ratio:.2f}")


if __name__ == "__main__":
    main()
