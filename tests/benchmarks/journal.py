"""What the journal costs: an append beside the bare write and sync of the same bytes, and taking up a long journal.

The events are those of a real rehearsal. The bare writes and the appends take turns, in files of the same folder; the
figures are the ratios of means, medians and 99th percentiles, after a first round that warms both up and is told apart.
The long journal repeats the rehearsal's events up to the number asked for.

python -m tests.benchmarks.journal [--rounds N] [--events N] [--folder WHERE]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from runbook.event import Event
from runbook.paths import JOURNAL_NAME
from runbook.record.attachments import store
from runbook.record.chain import START, now, seal
from runbook.record.events import NoteAdded, RunFinished, RunStarted
from runbook.record.journal import Journal, read_events
from runbook.record.records import fields_of
from runbook.secrets import Redactor, Secret

MEGABYTE = 1_000_000


def main() -> None:
    options = _options()
    if options.take_up:
        asyncio.run(_take_up(options.take_up))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        events = _rehearsal(folder)
        asyncio.run(_appending(folder, events, options.rounds))
        _taking_up(folder, events, options.events)


async def _appending(folder: Path, events: list[Event], rounds: int) -> None:
    redactor = Redactor()
    redactor.learn(Secret.from_text("648219-no-such-pin"))
    journal = await Journal.create(folder / "run", redactor)
    bare = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    plain: list[float] = []
    whole: list[float] = []
    size = 0
    with journal.path.open("rb") as written:
        for number in range(rounds + 1):
            for event in events:
                began = time.perf_counter()
                await journal.append(event)
                whole.append(time.perf_counter() - began)
                line = written.readline()
                size += len(line)
                began = time.perf_counter()
                os.write(bare, line)
                os.fsync(bare)
                plain.append(time.perf_counter() - began)
            if number == 0:
                first = sum(whole) - sum(plain)
                print(
                    f"first round: {first * 1e3:.0f} ms beside the bare writes, once (what is looked for is compiled)"
                )
                whole.clear()
                plain.clear()
                size = 0
    await journal.close()
    os.close(bare)
    print(f"append: {len(whole)} events of {size // len(whole)} bytes on average, each written and synced")
    for name, times in (("bare", plain), ("append", whole)):
        print(f"{name:8} {_us(times)}")
    ratios = [_mean(whole) / _mean(plain), _at(whole, 0.5) / _at(plain, 0.5), _at(whole, 0.99) / _at(plain, 0.99)]
    print(f"{'ratio':8} mean {ratios[0]:8.2f}    median {ratios[1]:6.2f}    99 % below {ratios[2]:6.2f}")


def _taking_up(folder: Path, events: list[Event], count: int) -> None:
    header, *others = (event for event in events if not isinstance(event, RunFinished))
    plain = folder / "long"
    _write(plain, [header, *islice(cycle(others), count - 1)])
    short = folder / "short"
    _write(short, [header, *islice(cycle(others), count // 100)])
    wide = folder / "wide"
    _write(wide, [header, *(NoteAdded("", "x" * MEGABYTE) for _ in range(3)), *islice(cycle(others), count // 100)])
    loaded = folder / "loaded"
    _write(loaded, [header, *islice(cycle(others), count // 100)])
    store(loaded, (b"x" * MEGABYTE for _ in range(500)), Redactor())
    for name, place in (("long", plain), ("short", short), ("long records", wide), ("500 MB attached", loaded)):
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, "--take-up", place], stdout=subprocess.PIPE, check=True
        )
        print(f"{name:16} {done.stdout.decode().strip()}, {(place / JOURNAL_NAME).stat().st_size / MEGABYTE:.0f} MB")


async def _take_up(folder: Path) -> None:
    began, busy = time.perf_counter(), time.process_time()
    journal, found = await Journal.open(folder, Redactor())
    took, busy = time.perf_counter() - began, time.process_time() - busy
    await journal.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"taken up: {found.events_count} events in {took:.2f} s ({busy:.2f} s of CPU), {memory:.0f} MB of memory in all"
    )


def _write(folder: Path, events: list[Event]) -> None:
    folder.mkdir()
    head = START
    with (folder / JOURNAL_NAME).open("wb") as file:
        for number, event in enumerate(events, start=1):
            line, head = seal(number, head, event.type, fields_of(event), now())
            file.write(line)


def _rehearsal(folder: Path) -> list[Event]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-m", "runbook", "rehearse", "--headless"]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    (path,) = folder.glob(f"state/*/runs/*/{JOURNAL_NAME}")
    events = list(read_events(path))
    assert isinstance(events[0], RunStarted)
    return events


def _us(seconds: list[float]) -> str:
    mean, middle, most = (value * 1e6 for value in (_mean(seconds), _at(seconds, 0.5), _at(seconds, 0.99)))
    return f"mean {mean:5.0f} us    median {middle:3.0f} us    99 % below {most:3.0f} us"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to write; by default where temporary files go")
    parser.add_argument("--take-up", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
