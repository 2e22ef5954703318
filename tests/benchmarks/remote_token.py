"""Stage A on a token of another host, beside the same token here: seconds and round trips, with latency added.

The host stands behind a jump host (real sshds in namespaces); the latency is added to the line of the host, half of it
each way. A round trip is a request of the worker and its answer; what ssh itself needs to open a connection and its
channels is in the seconds alone. Steps ask what the cutover's do: slots, objects, the PIN counter, two signatures
with one login, and a key against a file.

python -m tests.benchmarks.remote_token [--rounds N] [--milliseconds 0,10,50]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.hosts.channel import Channel, Ended
from checks.hosts.far import FarMachine
from checks.hosts.hosts import Hosts
from checks.hsm.key_match import KeyMatchCheck
from checks.hsm.objects import Objects
from checks.hsm.pin_counter import PinCounterCheck
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import Slots
from runbook.site import Site
from tests.fake_context import FakeContext
from tests.softhsm import LABEL, MODULE, PIN, SO_PIN, SoftHsm
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import TOKEN_FOLDERS

KEYS = ("01", "02", "03")
FOLDER = TOKEN_FOLDERS["softhsm"]


@dataclass
class Trips:
    """Round trips of one step, counted where the worker's requests leave."""

    count: int = 0
    writing: bool = False


@dataclass
class Counted:
    """A channel whose round trips are counted: a request after an answer is the next one."""

    channel: Channel
    trips: Trips
    stdout: Any = field(init=False)
    stderr: asyncio.StreamReader = field(init=False)

    def __post_init__(self) -> None:
        self.stdout, self.stderr = self, self.channel.stderr

    async def read(self, size: int) -> bytes:
        data = await self.channel.stdout.read(size)
        self.trips.writing = False
        return data

    async def write(self, data: bytes | bytearray) -> None:
        if not self.trips.writing:
            self.trips.count += 1
            self.trips.writing = True
        await self.channel.write(data)

    async def write_eof(self) -> None:
        await self.channel.write_eof()

    async def wait(self) -> Ended:
        return await self.channel.wait()

    async def close(self) -> None:
        await self.channel.close()


@contextlib.contextmanager
def counting(trips: Trips) -> Iterator[None]:
    """Every duplex channel is counted."""
    real = FarMachine.duplex

    async def duplex(self: FarMachine, argv: Sequence[str], *, sudo: bool = False) -> Channel:
        return Counted(await real(self, argv, sudo=sudo), trips)

    FarMachine.duplex = duplex  # type: ignore[method-assign] - the benchmark's only way in
    try:
        yield
    finally:
        FarMachine.duplex = real  # type: ignore[method-assign] - as above


async def stage_a(site: Site, folder: Path, artefact: Path, trips: Trips) -> dict[str, tuple[float, int]]:
    """Seconds and round trips of each step."""
    ctx = FakeContext(site, folder, PIN)
    steps: list[tuple[str, Any, dict[str, object]]] = [
        ("slots (and connecting)", Slots, {}),
        ("slots", Slots, {}),
        ("objects", Objects, {"expect": [{"id": key_id} for key_id in KEYS]}),
        ("pin_counter", PinCounterCheck, {}),
        ("sign_test, login", SignTestCheck, {"key": "01"}),
        ("sign_test", SignTestCheck, {"key": "02"}),
        ("key_match", KeyMatchCheck, {"key": "01", "artefact": str(artefact)}),
    ]
    measured = {}
    try:
        for name, kind, params in steps:
            before, started = trips.count, time.perf_counter()
            outcome = await ctx.run(kind, token="intermediate", **params)
            measured[name] = (time.perf_counter() - started, trips.count - before)
            assert outcome.verdict.green or name == "key_match", outcome
    finally:
        await ctx.pool.close()
        if Hosts in ctx.resources:
            await ctx.resources[Hosts].close()
    return measured


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench") as name, Lab() as lab:
        folder = Path(name)
        here = SoftHsm(folder / "hsm").create()
        here.init_token(LABEL)
        for key_id in KEYS:
            here.keypair(key_id)
        artefact = folder / "key.pub"
        artefact.write_text((lab.keys / "operator.pub").read_text())
        print("on this machine")
        _show([asyncio.run(stage_a(here.site(), folder, artefact, Trips())) for _ in range(options.rounds)])
        _make_far_token(lab)
        token = here.profile().model_copy(update={"via": "beta", "serial": "", "env": _env()})
        site = lab.client().site().model_copy(update={"tokens": {"intermediate": token}})
        for milliseconds in options.milliseconds:
            line = lab.beta.bad_line(delay=milliseconds / 2) if milliseconds else contextlib.nullcontext()
            trips = Trips()
            with line, counting(trips):
                print(f"on a host behind a jump host, {milliseconds:g} ms added to each round trip")
                _show([asyncio.run(stage_a(site, folder, artefact, trips)) for _ in range(options.rounds)])


def _env() -> dict[str, str]:
    return {"SOFTHSM2_CONF": f"{FOLDER}/softhsm2.conf"}


def _make_far_token(lab: Lab) -> None:
    conf = f"SOFTHSM2_CONF={FOLDER}/softhsm2.conf"
    pins = ("--so-pin", SO_PIN, "--pin", PIN)
    lab.beta.run("env", conf, "softhsm2-util", "--init-token", "--free", "--label", LABEL, *pins)
    tool = ("env", conf, "pkcs11-tool", "--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN)
    for key_id in KEYS:
        lab.beta.run(*tool, "--keypairgen", "--key-type", "EC:secp384r1", "--id", key_id, "--label", key_id)
    lab.beta.run("chmod", "-R", "a+rwX", FOLDER)


def _show(rounds: list[dict[str, tuple[float, int]]]) -> None:
    total, trips = 0.0, 0
    for name in rounds[0]:
        seconds = statistics.median(one[name][0] for one in rounds)
        total, trips = total + seconds, trips + rounds[0][name][1]
        print(f"  {name:<24}{seconds:7.3f} s{rounds[0][name][1]:5d} round trips")
    print(f"  {'all':<24}{total:7.3f} s{trips:5d} round trips")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.remote_token", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--milliseconds",
        type=lambda text: [float(part) for part in text.split(",")],
        default=[0.0, 10.0, 50.0],
        help="latency added to each round trip, several with commas",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
