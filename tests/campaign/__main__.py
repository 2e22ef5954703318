"""The whole fault campaign: every operation of stage A, every fault, every APDU. Ends with 1 if a rule was broken.

python -m tests.campaign [--lanes N] [--report FILE] [--only WORDS] [--sample EACH --seed SEED] [--resume]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tests.campaign import reporting, running
from tests.campaign.cases import Case, all_cases, sample
from tests.campaign.reporting import Result

_CHUNK = 30
"""Cases on one reader: its card tells all that it was ever told each time it is asked."""

_TRIES = 10
"""How often lanes are started anew after one was killed from outside."""


def main() -> int:
    """Run, print the table, write the report."""
    options = _options()
    began = time.monotonic()
    measured = asyncio.run(running.measure_all())
    cases = sample(measured, options.seed, options.sample) if options.sample else list(all_cases(measured))
    cases = [case for case in cases if options.only in case.name]
    print(f"{len(cases)} cases", file=sys.stderr)
    diary = options.report.with_suffix(".jsonl")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    results = reporting.read_diary(diary) if options.resume else []
    seen = {one.name for one in results}
    with diary.open("ab" if options.resume else "wb") as file:
        for one in _run([case for case in cases if case.name not in seen], options.lanes):
            file.write(reporting.diary_line(one))
            file.flush()
            results.append(one)
    results.sort(key=lambda one: one.name)
    counts = {f"{spot.place} {spot.step}": len(found.apdus) for spot, found in measured.items()}
    minutes = round((time.monotonic() - began) / 60, 1)
    options.report.write_bytes(reporting.to_json(results, apdus=counts, minutes=minutes))
    print("\n".join(reporting.table(results)))
    print(f"{minutes} minutes; every case is in {options.report}")
    return any(one.violations for one in results)


def _run(cases: Sequence[Case], lanes: int) -> Iterator[Result]:
    left = {case.name: case for case in cases}
    for _ in range(_TRIES):
        try:
            for results in _chunks(list(left.values()), lanes):
                for one in results:
                    del left[one.name]
                broken = [f"  {one.name}: {'; '.join(one.violations)}" for one in results if one.violations]
                print("\n".join([f"{len(left)} left", *broken]), file=sys.stderr, flush=True)
                yield from results
        except BrokenProcessPool:
            print("a lane was killed; its cases are run again", file=sys.stderr, flush=True)
        if not left:
            return
    raise SystemExit(f"{len(left)} cases were never run to their end: lanes were killed {_TRIES} times")


def _chunks(cases: list[Case], lanes: int) -> Iterator[list[Result]]:
    random.Random(0).shuffle(cases)  # so that no lane gets all that hangs
    chunks = [cases[start : start + _CHUNK] for start in range(0, len(cases), _CHUNK)]
    with ProcessPoolExecutor(lanes, mp_context=multiprocessing.get_context("spawn")) as executor:
        try:
            for finished in as_completed([executor.submit(running.run_all, chunk) for chunk in chunks]):
                yield finished.result()
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--lanes", type=int, default=6, help="readers that work at the same time")
    parser.add_argument("--report", type=Path, default=Path("build/campaign.json"))
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    parser.add_argument("--sample", type=int, default=0, metavar="EACH", help="only so many cases of each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="go on with a run that was broken off")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
