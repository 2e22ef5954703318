"""Starts the lab, and ends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.ssh_lab.client import Client
from tests.ssh_lab.files import files_of
from tests.ssh_lab.host import Host
from tests.ssh_lab.keys import make_keys
from tests.ssh_lab.namespaces import ROOT, SEARCH, Namespaces, children, command_line
from tests.ssh_lab.offload import no_offload
from tests.ssh_lab.plan import ALPHA, BETA, JUMP, MACHINES

SECONDS = 60.0

PROGRAMS: Mapping[str, str] = {
    "/usr/sbin/sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-agent": "openssh-client",
    "sudo": "sudo",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "pivot_root": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
    "awk": "mawk",
}
CAPABILITIES: Mapping[int, str] = {
    12: "CAP_NET_ADMIN",
    13: "CAP_NET_RAW",
    18: "CAP_SYS_CHROOT",
    21: "CAP_SYS_ADMIN",
}


class LabLacks(Exception):
    """The machine does not have what the lab is made of."""


class Lab:
    """Running from `start` (or `with`) to `stop`; if this process dies, the kernel stops it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ssh-lab-"))
        self.keys = self.folder / "keys"
        self._unshare: subprocess.Popen[str] | None = None
        number = os.getpid()
        # Eight addresses of 198.18.0.0/16 (RFC 2544) for each process.
        self._network = f"198.18.{number // 32 % 256}.{number % 32 * 8}"
        self._interface = f"lab{number}"
        self._clients = 0

    def __enter__(self) -> Lab:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Lab:
        """Raises LabLacks."""
        check_machine()
        try:
            self.keys.mkdir()
            make_keys(self.keys)
            self._write_machines()
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self._unshare is not None:
            assert self._unshare.stdin is not None
            assert self._unshare.stdout is not None
            self._unshare.stdin.close()
            try:
                self._unshare.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self._unshare.kill()
                self._unshare.wait()
            self._unshare.stdout.close()
            self._unshare = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def jump(self) -> Host:
        return self._hosts[JUMP]

    @property
    def alpha(self) -> Host:
        """It has a certificate of the host CA."""
        return self._hosts[ALPHA]

    @property
    def beta(self) -> Host:
        """It is known by its key."""
        return self._hosts[BETA]

    def host(self, name: str) -> Host:
        return self._hosts[name]

    @property
    def jump_address(self) -> str:
        return self._address(2)

    def client(self, **changes: Any) -> Client:
        """A person's files, in a folder of their own; `changes` are fields of Client."""
        self._clients += 1
        client = Client(self.folder / f"client-{self._clients}", self.keys, self.jump_address)
        return replace(client, **changes).write()

    def _address(self, number: int) -> str:
        head, last = self._network.rsplit(".", 1)
        return f"{head}.{int(last) + number}"

    def _write_machines(self) -> None:
        extra = "PerSourcePenalties no" if _knows_penalties() else ""
        for machine in MACHINES:
            files = [asdict(file) for file in files_of(machine, self.keys, extra)]
            (self.folder / f"{machine}.json").write_text(json.dumps(files))

    def _start(self) -> None:
        self._unshare = subprocess.Popen(
            [
                *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--propagation", "private"),
                *("--net", "--uts", "--ipc", "--mount-proc"),
                *(sys.executable, "-m", "tests.ssh_lab.lab_init", str(self.folder), f"{self.jump_address}/29"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": SEARCH, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        )
        assert self._unshare.stdout is not None
        if self._unshare.stdout.readline() != "ready\n":
            self._unshare.wait(SECONDS)
            raise RuntimeError("the lab did not start; its messages are above")
        (init,) = children(self._unshare.pid)
        inside = Namespaces(init)
        hosts = {command_line(pid)[-1]: children(pid)[0] for pid in children(init)}
        self._hosts = {name: Host(name, Namespaces(hosts[name]), inside, self.keys) for name in MACHINES}
        for host in self._hosts.values():
            host.until_listening()
        self._plug_in(init)

    def _plug_in(self, init: int) -> None:
        """A cable from here to the jump host's network; it goes when its other end does."""
        ours = self._interface
        _run("ip", "link", "add", ours, "type", "veth", "peer", "name", "tests", "netns", str(init))
        _run("ip", "address", "add", f"{self._address(1)}/29", "dev", ours)
        _run("ip", "link", "set", ours, "up")
        no_offload(ours)
        Namespaces(init).run("ip", "link", "set", "tests", "master", "outer", "up")


def check_machine() -> None:
    """Raises LabLacks with everything that is missing."""
    problems = []
    for program, package in PROGRAMS.items():
        if shutil.which(program, path=SEARCH) is None:
            problems.append(f"the program {program} (Debian's package {package})")
    if os.geteuid():
        problems.append("root")
    else:
        status = Path("/proc/self/status").read_text()
        effective = int(status.split("CapEff:")[1].split()[0], 16)
        problems += [name for bit, name in CAPABILITIES.items() if not effective >> bit & 1]
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        problems.append("a kernel with overlayfs (modprobe overlay)")
    if not problems:
        tried = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "mount", "-t", "tmpfs", "t", "/mnt"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if tried.returncode:
            problems.append(f"leave for namespaces and mounts ({tried.stderr.strip()})")
    if problems:
        raise LabLacks(
            f"The SSH lab needs {', '.join(problems)}. "
            "In a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined "
            "--security-opt seccomp=unconfined, or --privileged."
        )


def _knows_penalties() -> bool:
    """Whether this sshd shuts out addresses that failed before (OpenSSH 9.8 and newer); the tests fail on purpose."""
    done = subprocess.run(
        ["/usr/sbin/sshd", "-T", "-f", "/dev/null", "-o", "PerSourcePenalties=no"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return "persourcepenalties" in done.stdout


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr}")
