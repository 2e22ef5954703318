"""From the byte of a key to the bytes of the frame that it changed: the real program in a real pseudo-terminal.

A runbook of 50 and one of 5,000 steps, idle and while the step at hand writes 10,000 lines a second. Two keys: `j` and
`k` move the cursor in the list (the frame is there once the page of the other step is painted), and page down and up
scroll the step's page. The first page is long, so that there is something to scroll. Prints p50, p99 and the worst,
and the CPU time that the program took meanwhile, which tells also on a machine that others use.

python -m tests.benchmarks.key_to_frame [--presses N] [--steps N …] [--size COLUMNSxROWS]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.terminal import Terminal

LINES = 400
"""Of the first step's goal."""

RATE = 10_000
"""Lines a second that the step at hand writes."""

STREAM = f"""
import sys, time
began, written = time.monotonic(), 0
while True:
    due = int((time.monotonic() - began) * {RATE})
    sys.stdout.write("".join(f"output line {{n}} of a stream that does not end\\n" for n in range(written, due)))
    sys.stdout.flush()
    written = due
    time.sleep(0.01)
"""

STAGE = 25
"""Steps of each stage."""


def runbook(steps: int) -> dict[str, object]:
    """A runbook of that many steps; the first streams, and has a long page."""
    numbers = range(1, steps + 1)
    stages = [
        {"id": f"T{first}", "title": f"Stage from {first}", "steps": [_step(n) for n in numbers[first - 1 :][:STAGE]]}
        for first in numbers[::STAGE]
    ]
    return {"runbook": 1, "id": "speed", "title": "Key to frame", "stages": stages}


def _step(number: int) -> dict[str, object]:
    goal = "\n\n".join(f"Line L{n:04}." for n in range(1, LINES)) if number == 1 else f"The goal is G{number:04}."
    command = [sys.executable, "-c", STREAM] if number == 1 else ["true"]
    return {
        "id": f"S{number:04}",
        "title": f"Step number {number}",
        "goal": goal,
        "check": "command",
        "run": command,
        "deadline": 3600,
    }


def main() -> None:
    """Measure and print."""
    options = _options()
    columns, rows = (int(part) for part in options.size.split("x"))
    for steps in options.steps:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "runbook.yaml").write_text(json.dumps(runbook(steps), indent=1))
            os.environ.update(XDG_STATE_HOME=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"))
            program = str(Path(sys.executable).with_name("runbook"))
            began = time.perf_counter()
            with Terminal([program, "run", str(folder / "runbook.yaml")], rows=rows, columns=columns) as terminal:
                terminal.wait_for("your turn")
                print(f"{steps} steps: the run waits for its first decision after {time.perf_counter() - began:.2f} s")
                terminal.settle()
                _measure(terminal, f"{steps} steps, idle", options.presses, steps)
                print(f"{steps} steps: {terminal.megabytes:.0f} MB")
                terminal.write(b"r")
                terminal.wait_for("output line")
                _measure(terminal, f"{steps} steps, {RATE} lines a second", options.presses, steps)


def _measure(terminal: Terminal, title: str, presses: int, steps: int) -> None:
    _figures(f"{title}: page", [_took(terminal, key, there) for key, there in _pages(presses)])
    _figures(f"{title}: move", [_took(terminal, key, there) for key, there in _moves(presses, min(steps, 200))])
    terminal.write(b"g")
    terminal.read_until(lambda written: b"L0001" in written)


def _moves(presses: int, furthest: int) -> Iterator[tuple[bytes, Callable[[bytes], bool]]]:
    """Down to a step and up again, over and over."""
    places = itertools.cycle([*range(2, furthest + 1), *range(furthest - 1, 0, -1)])
    last = 1
    for place in itertools.islice(places, presses):
        shown = b"L0001" if place == 1 else b"G%04d" % place
        yield (b"j" if place > last else b"k"), lambda written, shown=shown: shown in written
        last = place


def _pages(presses: int) -> Iterator[tuple[bytes, Callable[[bytes], bool]]]:
    """Page down and up; a line that could not be seen before comes."""
    shown, down = (1, 2), True
    for _ in range(presses):
        frame: list[int] = []

        def moved(written: bytes, shown: tuple[int, int] = shown, frame: list[int] = frame) -> bool:
            frame[:] = [int(found) for found in re.findall(rb"L(\d{4})", written)]
            return any(not shown[0] <= line <= shown[1] for line in frame)

        yield (b"\x1b[6~" if down else b"\x1b[5~"), moved
        shown = (min(frame), max(frame))
        down = shown[1] < LINES // 2 if down else shown[0] < LINES // 8


def _took(terminal: Terminal, key: bytes, there: Callable[[bytes], bool]) -> tuple[float, float]:
    """Seconds, and seconds of CPU time; the pause before puts the key at any moment of the program's own rhythm."""
    terminal.drain(0.03 + random.random() * 0.05)  # noqa: S311 - no secret
    began, worked = time.perf_counter(), terminal.cpu
    terminal.write(key)
    terminal.read_until(there)
    return time.perf_counter() - began, terminal.cpu - worked


def _figures(title: str, took: list[tuple[float, float]]) -> None:
    ordered, cpu = (sorted(1e3 * each for each in side) for side in zip(*took, strict=True))
    p99 = int(len(ordered) * 0.99)
    waited = f"p50 {statistics.median(ordered):5.1f} ms, p99 {ordered[p99]:5.1f} ms, worst {ordered[-1]:5.1f} ms"
    print(f"{title:42} {waited}; CPU p50 {statistics.median(cpu):4.1f} ms, p99 {cpu[p99]:4.1f} ms", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.key_to_frame", description=__doc__)
    parser.add_argument("--presses", type=int, default=300, help="of each key in each condition")
    parser.add_argument("--steps", type=int, nargs="*", default=[50, 5000])
    parser.add_argument("--size", default="120x40")
    return parser.parse_args()


if __name__ == "__main__":
    main()
