"""Token workers beside python-pkcs11 in one process: start-up and signatures on SoftHSM2, as ratios of one run.

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
from collections.abc import Awaitable, Callable
from pathlib import Path

from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from tests.softhsm import MODULE, PIN, SoftHsm

SIGNATURES = 1000
ROUNDS = 5

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


async def pooled(softhsm: SoftHsm) -> tuple[float, float]:
    """The same through a worker."""
    token = Token("t", softhsm.profile(), Redactor())
    start = await _seconds(token.select)
    await token.login(Secret.from_text(PIN))
    await token.sign(b"\x01", "CKM_ECDSA", bytes(48))

    async def many() -> None:
        for _ in range(SIGNATURES):
            await token.sign(b"\x01", "CKM_ECDSA", bytes(48))

    sign = await _seconds(many) / SIGNATURES
    await token.close()
    return start, sign


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


def main() -> None:
    """Interleave the rounds, so that both see the same machine; print medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        softhsm = SoftHsm(Path(folder) / "hsm").create()
        softhsm.init_token()
        softhsm.keypair("01")
        rounds = [(direct(softhsm), asyncio.run(pooled(softhsm))) for _ in range(ROUNDS)]
    for index, name in enumerate(("first token", "one signature")):
        alone = statistics.median(one[index] for one, _ in rounds)
        ours = statistics.median(two[index] for _, two in rounds)
        line = f"{name}: direct {alone * 1e3:.3f} ms, pool {ours * 1e3:.3f} ms, throughput ratio {alone / ours:.2f}\n"
        sys.stdout.write(line)


if __name__ == "__main__":
    main()
