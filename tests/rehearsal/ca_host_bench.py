"""input-b of a full lab without an engine: a network namespace stands for the one of its containers.

`python -m tests.rehearsal.ca_host_bench LAB PID`: keeps the host of a lab as the keeper does, the containers' network
being that of PID, until it is ended; writes a line once the host is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.full.ca_host import CaHost, ca_host
from rehearsal.full.machines import equip
from rehearsal.full.machines import network as network_of
from rehearsal.hosts import make_hosts
from rehearsal.smartcard import CardPlaces, make_card
from runbook.secrets import Secret
from runbook.site import Site

PIN, SO_PIN = "648219", "3537363231383830"
DEADLINE = 60.0
MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"

_CONTAINER = """\
mount -t tmpfs tmpfs /run && mkdir /run/pcscd && pcscd || exit 1
echo up
while read -r line; do sh -c "$line" 2>&1; echo "$? done"; done
kill "$(cat /run/pcscd/pcscd.pid)"
while [ -e /run/pcscd/pcscd.pid ]; do sleep 0.02; done
"""


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    out: str


class Container:
    """A pcscd in the containers' network, in a /run of its own, and a shell beside it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, command: str) -> Done:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command.encode() + b"\n")
        out = b""
        async with asyncio.timeout(DEADLINE):
            while not (line := await self._process.stdout.readline()).endswith(b" done\n"):
                assert line, out
                out += line
        return Done(int(line.split()[0]), out.decode())


@dataclass(frozen=True)
class Bench:
    """The lab, and the namespace for its containers."""

    lab: Path
    profile: dict[str, object]
    network: int

    @property
    def site(self) -> Site:
        hosts = {**self.profile, "ssh_config": str(self.lab / "hosts" / "ssh_config")}
        return Site.model_validate({"site": 1, "name": "lab", **hosts})

    def engine(self, *command: str) -> list[str]:
        return ["nsenter", "--target", str(self.network), "--net", *command]

    async def ssh(self, command: str, host: str = "input-b", *options: str) -> Done:
        argv = ["ssh", "-F", str(self.lab / "hosts" / "ssh_config"), "-o", "BatchMode=yes", *options, host, command]
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return Done(process.returncode or 0, out.decode())

    @contextlib.asynccontextmanager
    async def container(self) -> AsyncIterator[Container]:
        """It has started inside; it is stopped afterwards, as `docker stop` would."""
        process = await asyncio.create_subprocess_exec(
            *self.engine("setpriv", "--pdeathsig=KILL", "unshare", "--mount", "sh", "-c", _CONTAINER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert await asyncio.wait_for(process.stdout.readline(), DEADLINE) == b"up\n"
            yield Container(process)
        finally:
            process.stdin.close()
            await asyncio.wait_for(process.wait(), DEADLINE)

    @contextlib.asynccontextmanager
    async def host(self) -> AsyncIterator[CaHost]:
        """The host runs inside."""
        places = CardPlaces(self.lab)
        places.reader.mkdir()
        try:
            network_of(self.lab).symlink_to(f"/proc/{self.network}/ns/net")
            async with ca_host(places, self.engine) as host:
                yield host
        finally:
            shutil.rmtree(places.reader)


@contextlib.contextmanager
def network() -> Iterator[int]:
    """The process id of one that is in a network namespace with a loopback interface alone."""
    holder = subprocess.Popen(
        ["setpriv", "--pdeathsig=KILL", "unshare", "--net", "sh", "-c", "ip link set lo up && echo up && read -r _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.communicate()


@contextlib.contextmanager
def bench() -> Iterator[Bench]:
    """A lab with a card and hosts; its path is short, because sockets are made below it."""
    with tempfile.TemporaryDirectory(prefix="full", dir="/tmp") as folder, network() as pid:
        lab = Path(folder)
        pins = {"pin": Secret.from_text(PIN), "so_pin": Secret.from_text(SO_PIN)}
        token = make_card(lab, "ccat-intermediate", {"01": "intermediate"}, **pins)
        profile = make_hosts(lab, getpass.getuser(), {}, equipment=equip(lab, token.environment))
        yield Bench(lab, profile, pid)


async def main(lab: str, pid: str) -> None:
    """Until SIGKILL."""
    made = Bench(Path(lab), {}, int(pid))
    async with made.host():
        os.write(sys.stdout.fileno(), b"up\n")
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
