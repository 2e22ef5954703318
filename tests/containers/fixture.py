"""A real Docker engine, without images, networks or leave to change the machine's packet filter."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from tests.containers.engine_bench import Bench, base_image

SECONDS = 60.0


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Path]:
    """Its socket."""
    assert shutil.which("dockerd"), "dockerd is missing (Debian's package docker.io)"
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))
    socket, log = folder / "docker.sock", folder / "log"
    with log.open("wb") as output:
        engine = subprocess.Popen(
            [
                *(
                    "setpriv",
                    "--pdeathsig=TERM",  # also where this process is killed
                    "dockerd",
                    "--storage-driver=vfs",
                    "--iptables=false",
                    "--ip6tables=false",
                    "--bridge=none",
                    "--ip-forward=false",
                ),
                *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
                *("--pidfile", str(folder / "pid"), "--host", f"unix://{socket}", "--group", "root"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + SECONDS
        while "API listen on" not in log.read_text():
            assert engine.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.05)
        yield socket
    finally:
        engine.terminate()
        engine.wait(SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bench(dockerd: Path, tmp_path: Path) -> Iterator[Bench]:
    """The engine with a base image; emptied of everything else afterwards."""
    client = DockerClient(base_url=f"unix://{dockerd}", version="1.41")
    made = Bench(tmp_path, dockerd, base_image(client))
    client.close()
    yield made
    made.clean()
