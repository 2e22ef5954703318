"""Kill a rehearsal at every write of its journal and at random moments, go on with it, and judge the end.

With --hangup the line drops instead, at every question of a plain terminal; with --full-disk the state folder fills up,
from one size to the next.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from pathlib import Path

import msgspec

from rehearsal.token import TokenKind
from tests.killing import cases, full_disk, hangup
from tests.killing.cases import Result


def main() -> int:
    """Ends with 1 if anything was lost or done twice."""
    options = _options()
    began = time.monotonic()
    failed = _swept(options) if options.hangup or options.full_disk else _killed(options)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes, seed {options.seed}")
    return failed


def _killed(options: argparse.Namespace) -> bool:
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
    print("\n".join(_summary(results)))
    if options.report:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode([asdict(one) for one in results])))
    return any(one.problems for one in results)


def _swept(options: argparse.Namespace) -> bool:
    """The line dropped at every question, or the disk full at every size."""
    token = TokenKind(options.token)
    sweep: dict[str, Callable[[], list[str]]] = {}
    if options.hangup:
        for drop in hangup.drops(random.Random(options.seed)):
            sweep[str(drop)] = partial(_dropped, drop, token)
    if options.full_disk:
        for size in range(full_disk.STEP, options.full_disk + 1, full_disk.STEP):
            sweep[f"{size} KiB for the state folder"] = partial(full_disk.problems, size, token)
    wanted = {name: run for name, run in sweep.items() if options.only in name}
    with ThreadPoolExecutor(options.lanes) as lanes:
        found = dict(zip(wanted, lanes.map(lambda run: run(), wanted.values()), strict=True))
    wrong = {name: problems for name, problems in found.items() if problems}
    for name, problems in wrong.items():
        print(f"{name}: {'; '.join(problems)}")
    print(f"{len(found):5} cases\n{len(wrong):5} in which something was lost, done twice or left behind")
    if options.report:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    return bool(wrong)


def _dropped(drop: hangup.Drop, token: TokenKind) -> list[str]:
    problems, _ = hangup.run(drop, token)
    return problems


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
    parser.add_argument("--hangup", action="store_true", help="drop the line, twice at each question")
    parser.add_argument(
        "--full-disk",
        type=int,
        default=0,
        const=192,
        nargs="?",
        metavar="KIB",
        help=f"a state folder of {full_disk.STEP} KiB, and of {full_disk.STEP} more each time up to KIB",
    )
    parser.add_argument("--report", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
