"""The same check on many hosts by the program and by `ansible -m command`, with the same parallelism, as ratios.

Hosts are addresses 127.0.x.y of one sshd, all in a network namespace of their own (root only). Both programs are
measured from their start to their end, and log in anew each time. Memory is the peak of the program (getrusage(2),
ru_maxrss); the CPU time is without that of sshd.

python -m tests.benchmarks.hosts [MOST]     (MOST: the most hosts to grow to, 500 unless told)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PARALLEL = 10
COMPARED = 100
PORT = 2200
INSIDE = "INSIDE_BENCHMARK"

SSHD = """\
Port {port}
ListenAddress 0.0.0.0
HostKey {folder}/host
AuthorizedKeysFile {folder}/operator.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
MaxStartups 1000
UseDNS no
LogLevel ERROR
"""

SSH = """\
{hosts}
Host *
  Port {port}
  User root
  HostKeyAlias bench
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  IdentityFile {folder}/operator
  IdentitiesOnly yes
  IdentityAgent none
"""

RUNBOOK = """\
runbook: 1
id: many-hosts
title: Many hosts
stages:
  - id: A
    title: One
    steps:
      - {{id: A.one, title: One, check: command, run: [uname, -n], on: all, parallel: {parallel}, deadline: 1200}}
"""


@dataclass(frozen=True)
class Took:
    """One run of a program."""

    seconds: float
    megabytes: float
    cpu: float
    """Seconds of this process and its children."""
    load: float
    """Of the machine at the end, averaged over a minute."""


def inside() -> None:
    """Start again in namespaces of our own, which end with us."""
    argv = [
        "unshare",
        "--net",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", [*argv, sys.executable, "-m", "tests.benchmarks.hosts", *sys.argv[1:]])


@contextmanager
def hosts(folder: Path, most: int) -> Iterator[None]:
    """`most` hosts, `h1`…, with a site profile, an ssh configuration and an Ansible inventory for each number."""
    for command in (("ip", "link", "set", "lo", "up"), ("mount", "-t", "tmpfs", "run", "/run")):
        subprocess.run(command, check=True)
    Path("/run/sshd").mkdir()
    for name in ("host", "operator"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "known_hosts").write_text(f"bench {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text(SSHD.format(folder=folder, port=PORT))
    stanzas = "\n".join(f"Host h{n}\n  HostName 127.0.{n // 250 + 1}.{n % 250 + 1}" for n in range(1, most + 1))
    (folder / "ssh_config").write_text(SSH.format(hosts=stanzas, folder=folder, port=PORT))
    (folder / "runbook.yaml").write_text(RUNBOOK.format(parallel=PARALLEL))
    sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(folder / "sshd_config")])
    try:
        yield
    finally:
        sshd.terminate()
        sshd.wait()


def measured(argv: list[str], folder: Path, **environment: str) -> Took:
    """Run it; it must succeed."""
    started = time.monotonic()
    out = (folder / "output").open("w+b")
    pid = os.posix_spawnp(
        argv[0],
        argv,
        {**os.environ, "XDG_STATE_HOME": str(folder / "state"), **environment},
        file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), fd) for fd in (1, 2)],
    )
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - started
    out.seek(0)
    assert os.waitstatus_to_exitcode(status) == 0, out.read().decode(errors="replace")[-3000:]
    out.close()
    return Took(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, os.getloadavg()[0])


def program(folder: Path, count: int, transport: str) -> Took:
    names = [f"h{n}" for n in range(1, count + 1)]
    site = {
        "site": 1,
        "name": "bench",
        "ssh_config": "ssh_config",
        "hosts": {name: {"transport": transport} for name in names},
        "groups": {"all": names},
    }
    (folder / "site.yaml").write_text(json.dumps(site))
    argv = [sys.executable, "-m", "runbook", "run", "--headless", str(folder / "runbook.yaml")]
    return measured([*argv, "--site", str(folder / "site.yaml")], folder)


def ansible(folder: Path, count: int, **settings: str) -> Took:
    inventory = "".join(f"h{n}\n" for n in range(1, count + 1))
    (folder / "inventory").write_text(f"[all]\n{inventory}[all:vars]\nansible_python_interpreter=/usr/bin/python3\n")
    shutil.rmtree(folder / "control", ignore_errors=True)
    environment = {
        "ANSIBLE_SSH_ARGS": f"-F {folder}/ssh_config -o ControlMaster=auto -o ControlPersist=60s",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "control"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        **settings,
    }
    program_path = Path(sys.executable).with_name("ansible")
    argv = [str(program_path), "all", "-i", str(folder / "inventory"), "-m", "command", "-a", "uname -n"]
    return measured([*argv, "-f", str(PARALLEL)], folder, **environment)


def show(what: str, took: Took) -> None:
    print(
        f"{what:44} {took.seconds:8.1f} s  {took.cpu:7.1f} s CPU  {took.megabytes:6.0f} MB  (load {took.load:.1f})",
        flush=True,
    )


def main() -> None:
    if INSIDE not in os.environ:
        inside()
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    folder = Path(tempfile.mkdtemp(prefix="hosts-"))
    try:
        with hosts(folder, most):
            compare(folder)
            grow(folder, most)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(folder: Path) -> None:
    ours = program(folder, COMPARED, "paramiko")
    show(f"runbook, {COMPARED} hosts, paramiko", ours)
    system = program(folder, COMPARED, "openssh")
    show(f"runbook, {COMPARED} hosts, the system's ssh", system)
    theirs = ansible(folder, COMPARED)
    show(f"ansible -m command, {COMPARED} hosts", theirs)
    piped = ansible(folder, COMPARED, ANSIBLE_PIPELINING="True")
    show(f"ansible with pipelining, {COMPARED} hosts", piped)
    for name, other in (("ansible", theirs), ("ansible with pipelining", piped)):
        by = f"{other.seconds / ours.seconds:.1f} by paramiko, {other.seconds / system.seconds:.1f} by ssh"
        print(f"{name} / runbook: {by}")


def grow(folder: Path, most: int) -> None:
    """How time and memory grow with the hosts."""
    numbers = [number for number in (10, 50, 100, 200, 500) if number <= most]
    runs = {number: program(folder, number, "paramiko") for number in numbers}
    for number, took in runs.items():
        show(f"runbook, {number} hosts, paramiko", took)
    first, last = numbers[0], numbers[-1]
    each = (runs[last].megabytes - runs[first].megabytes) / (last - first)
    print(f"from {first} to {last} hosts: {each * 1024:.0f} kB and {runs[last].seconds / last * 1000:.0f} ms a host")


if __name__ == "__main__":
    main()
