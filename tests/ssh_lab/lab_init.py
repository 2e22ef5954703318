"""The first process of the lab's own namespaces: makes the networks, starts the machines, ends when its input does.

Called by `Lab` under `unshare`: FOLDER. A line `ready` on standard output says that all machines are up. When this
process ends, the kernel ends everything in its process namespace, and the networks with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.ssh_lab.offload import no_offload
from tests.ssh_lab.plan import INNER, JUMP, MACHINES

SECONDS = 30.0


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=SECONDS, stdin=subprocess.DEVNULL)


def make_networks(outer: str) -> None:
    """Bridges `outer` (the tests' machine and the jump host) and `inner` (the jump host and those behind it)."""
    for bridge in ("outer", "inner"):
        ip("link", "add", bridge, "type", "bridge", "forward_delay", "0")
        ip("link", "set", bridge, "up")
    for machine in MACHINES:
        ip("netns", "add", machine)
        ip("-n", machine, "link", "set", "lo", "up")
        plug(machine, "inner", f"{INNER[machine]}/24")
    plug(JUMP, "outer", outer)


def plug(machine: str, bridge: str, address: str) -> None:
    """A cable: `MACHINE-BRIDGE` in the bridge, `BRIDGE` on the machine."""
    port = f"{machine}-{bridge}"
    ip("link", "add", port, "type", "veth", "peer", "name", bridge, "netns", machine)
    ip("-n", machine, "address", "add", address, "dev", bridge)
    ip("-n", machine, "link", "set", bridge, "up")
    ip("link", "set", port, "master", bridge, "up")
    no_offload(port)
    subprocess.run(
        ["ip", "netns", "exec", machine, sys.executable, "-m", "tests.ssh_lab.offload", bridge],
        check=True,
        timeout=SECONDS,
    )


def start_machine(folder: Path, machine: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *("ip", "netns", "exec", machine),
            *("unshare", "--mount", "--propagation", "private", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
            *(sys.executable, "-m", "tests.ssh_lab.host_init", str(folder), machine),
        ],
        stdin=subprocess.DEVNULL,
        stdout=(folder / f"{machine}.log").open("wb"),
        stderr=subprocess.STDOUT,
    )


def wait_for(folder: Path, machine: str, process: subprocess.Popen[bytes]) -> None:
    """Until sshd answers."""
    deadline = time.monotonic() + SECONDS
    while b"ready" not in (folder / f"{machine}.log").read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"{machine} did not start: {(folder / f'{machine}.log').read_text()}")
        time.sleep(0.01)


def main() -> None:
    folder, outer = Path(sys.argv[1]), sys.argv[2]
    # `ip netns` keeps its files there, and would leave them on the machine below.
    subprocess.run(["mount", "-t", "tmpfs", "lab", "/run"], check=True, timeout=SECONDS)
    make_networks(outer)
    processes = {machine: start_machine(folder, machine) for machine in MACHINES}
    for machine, process in processes.items():
        wait_for(folder, machine, process)
    print("ready", flush=True)  # noqa: T201 - it is how this process tells
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
