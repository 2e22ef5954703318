"""The engine of a full lab: it ends with who holds it, and what is to restart comes back with it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from rehearsal.full import base_image, engines
from rehearsal.full.cache import ensure

# The first full lab on a machine takes minutes, in which step-ca and the base image are made.
pytestmark = pytest.mark.timeout(900)

SECONDS = 60.0
HOLDER = """
import asyncio, sys
from pathlib import Path
from rehearsal.full import engines
from rehearsal.full.engine import Engine

async def main() -> None:
    place = engines.place(Path(sys.argv[1]))
    async with engines.alone(place) as held, Engine(place.data, Path(sys.argv[1], "engine"), held=(held,)) as engine:
        print(engine.inside, flush=True)
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


class Holder:
    """A process that holds the engine of a lab."""

    def __init__(self, lab: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(lab)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.inside = int(self.process.stdout.readline())
        self.engine = DockerClient(base_url=f"unix://{lab}/engine/docker.sock", version="auto")

    def kill(self) -> None:
        self.engine.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def place(home: Path) -> Iterator[engines.EnginePlace]:
    (home / "lab").mkdir()
    made = engines.make(ensure(print), home / "lab")
    yield made
    wait_for(lambda: not engines.is_running(made))
    engines.remove(made)


def test_killed_it_takes_its_containers_along_and_brings_them_back(home: Path, place: engines.EnginePlace) -> None:
    holder = Holder(home / "lab")
    container = start(holder.engine, ["sleep", "600"])
    sleeper = f"/proc/{holder.inside}/root/proc/{container.attrs['State']['Pid']}"
    assert Path(sleeper).exists(), "in the engine's own PID namespace"
    assert engines.is_running(place)
    holder.kill()
    wait_for(lambda: not engines.is_running(place))
    assert not Path(f"/proc/{holder.inside}").exists()

    again = Holder(home / "lab")
    with closing(again.engine) as engine:
        wait_for(lambda: engine.containers.get("sleeper").status == "running")
    again.kill()


def test_its_network_is_loopback_alone_and_not_the_machines(home: Path, place: engines.EnginePlace) -> None:
    holder = Holder(home / "lab")
    try:
        said = holder.engine.containers.run(
            f"{base_image.NAME}:{base_image.TAG}", ["cat", "/proc/net/dev"], network_mode="host", remove=True
        )
    finally:
        holder.kill()
    names = [line.partition(":")[0].strip() for line in bytes(said).decode().splitlines() if ":" in line]
    assert names == ["lo"]
    assert engines.place(home / "lab") == place


def test_labs_share_the_layers_and_nothing_that_is_written(home: Path, place: engines.EnginePlace) -> None:
    shared = ensure(print)
    layers = next(path for path in shared.data.iterdir() if path.name in ("overlay2", "vfs"))
    binary = next(layers.rglob("usr/local/bin/step-ca"))
    assert (place.data / binary.relative_to(shared.data)).samefile(binary)
    databases = [path for path in shared.data.rglob("*.db") if layers not in path.parents]
    assert databases
    assert not any((place.data / path.relative_to(shared.data)).samefile(path) for path in databases)
    assert (home / "lab").is_dir()


def start(engine: DockerClient, command: list[str]) -> Any:
    container = engine.containers.run(
        f"{base_image.NAME}:{base_image.TAG}",
        command,
        name="sleeper",
        network_mode="host",
        restart_policy={"Name": "always"},
        detach=True,
        init=True,
    )
    container.reload()
    return container


def wait_for(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.05)
