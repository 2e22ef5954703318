"""Kill a rehearsal at every write of its journal and at random moments, go on with it, and judge the end.

python -m tests.killing [--random N] [--seed S] [--token card|softhsm] [--lanes N] [--only WORDS] [--report F]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import msgspec

from rehearsal.token import TokenKind
from tests.killing import cases
from tests.killing.cases import Result


def main() -> int:
    """Ends with 1 if anything was lost or done twice."""
    options = _options()
    began = time.monotonic()
    token = TokenKind(options.token)
    undisturbed = cases.measure(token)
    chance = random.Random(options.seed)
    every = [
        *cases.at_every_write(token, undisturbed.records, chance),
        *cases.at_random(token, options.random, chance),
    ]
    wanted = [case for case in every if options.only in str(case)]
    print(f"{len(wanted)} cases; undisturbed: {undisturbed.records} records in {undisturbed.seconds:.1f} s", flush=True)
    results: list[Result] = []
    with ThreadPoolExecutor(options.lanes) as lanes:
        for done in as_completed([lanes.submit(cases.run, case, undisturbed) for case in wanted]):
            results.append(done.result())
            one = results[-1]
            if one.problems or len(results) % 50 == 0:
                print(f"{len(results)}: {one.case}: {'; '.join(one.problems) or 'as it should be'}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print("\n".join([*_summary(results), f"{minutes:.1f} minutes, seed {options.seed}"]))
    if options.report:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode([asdict(one) for one in results])))
    return any(one.problems for one in results)


def _summary(results: list[Result]) -> list[str]:
    kinds = Counter(
        ("a power cut" if one.case.power is not None else "SIGKILL")
        + (" at a write" if one.case.point else " at a random moment")
        for one in results
    )
    return [
        *(f"{count:5} {kind}" for kind, count in sorted(kinds.items())),
        f"{sum(one.killed for one in results):5} drivers killed, {sum(one.killed > 1 for one in results)} runs twice",
        f"{sum(not one.begun for one in results):5} before the first record",
        f"{sum(one.killed == 0 for one in results):5} at their end before the moment came",
        f"{sum(bool(one.problems) for one in results):5} in which something was lost, done twice or left behind",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.killing", description=__doc__)
    parser.add_argument("--random", type=int, default=200, metavar="N", help="random moments beside every write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--token", choices=[kind.value for kind in TokenKind], default=TokenKind.CARD.value)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--only", default="", metavar="WORDS", help="only cases whose name holds this")
    parser.add_argument("--report", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
