"""Real sshds on loopback ports, an ssh configuration for them, and a site profile: light, and for any account."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from checks.hosts.known_hosts import fingerprint
from runbook.site import HostProfile, Site

PATIENCE = 60.0


def until(fact: Callable[[], object], what: str) -> None:
    """Wait for a fact, not for time."""
    give_up = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < give_up, f"waited in vain: {what}"
        time.sleep(0.02)


async def eventually(fact: Callable[[], object], what: str) -> None:
    """`until`, without holding up the loop."""
    await asyncio.to_thread(until, fact, what)


def make_key(path: Path, key_type: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", key_type, "-N", passphrase, "-C", path.name, "-f", str(path)], check=True)
    return path


def public(path: Path) -> str:
    """Type and key, as known_hosts has them."""
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def printed(path: Path) -> str:
    import base64

    return fingerprint(base64.b64decode(public(path).split()[1]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sshd:
    """One sshd; it logs what is asked of it."""

    def __init__(self, bench: Bench, name: str, port: int = 0, **options: Any) -> None:
        self.port = port or free_port()
        self.name = name
        self.folder = bench.folder / f"sshd-{name}-{len(list(bench.folder.iterdir()))}"
        self.folder.mkdir()
        self.host_key = make_key(self.folder / "host_key", options.pop("host_key_type", "ed25519"))
        self.log_file = self.folder / "log"
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.host_key,
            "AuthorizedKeysFile": bench.authorized,
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "LogLevel": "DEBUG1",
            "MaxStartups": "200",
            "MaxSessions": "100",
            "PermitRootLogin": "yes",
            **options,
        }
        (self.folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Sshd:
        self._process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", str(self.folder / "config"), "-E", str(self.log_file)],
            stdin=subprocess.DEVNULL,
        )
        until(lambda: "Server listening" in self.log, f"sshd {self.name}")
        return self

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def hung_up(self) -> bool:
        """A client that was let in has left."""
        return "do_cleanup" in self.log.partition("Accepted publickey")[2]

    def kill_sessions(self) -> None:
        """End every connection, and go on listening."""
        assert self._process
        servers = _children(self._process.pid)
        found = [*servers, *(pid for server in servers for pid in _children(server))]
        # All at once: a server that lives longer than its command would tell how that ended.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def stop(self) -> None:
        if self._process:
            self.kill_sessions()
            self._process.kill()
            self._process.wait()
            self._process = None


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Bench:
    """Keys, known hosts, configuration and sshds of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authorized = folder / "authorized_keys"
        self.known = folder / "known_hosts"
        self.known.touch()
        self.key = make_key(folder / "operator")
        self.authorized.write_text(public(self.key) + "\n")
        self._hosts: dict[str, list[str]] = {}
        self._running: list[Sshd] = []

    def sshd(self, name: str, *lines: str, known: bool = True, **options: Any) -> Sshd:
        """Start one, put its key on file, and let the alias `name` mean it; `lines` are of its ssh configuration."""
        sshd = Sshd(self, name, **options).start()
        self._running.append(sshd)
        if known:
            self.put_on_file(f"[127.0.0.1]:{sshd.port} {public(sshd.host_key)}")
        self.alias(name, f"Port {sshd.port}", *lines)
        return sshd

    def to_pem(self, key: Path) -> None:
        """The older format of private keys."""
        subprocess.run(
            ["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", str(key)], check=True, capture_output=True
        )

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def hash_names(self) -> None:
        """As HashKnownHosts does."""
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(self.known)], check=True, capture_output=True)

    def impostor(self, sshd: Sshd) -> Sshd:
        """Another sshd on the port of one that was stopped, with a key of its own."""
        impostor = Sshd(self, f"{sshd.name}-impostor", port=sshd.port).start()
        self._running.append(impostor)
        return impostor

    def certify(self, sshd: Sshd, ca: Path, principals: str, validity: str = "-1d:+1d") -> None:
        """Sign the host's key and have it show the certificate."""
        subprocess.run(
            [
                *("ssh-keygen", "-q", "-s", str(ca), "-h", "-I", "a host", "-n", principals, "-V", validity),
                f"{sshd.host_key}.pub",
            ],
            check=True,
            capture_output=True,
        )
        sshd.stop()
        with (sshd.folder / "config").open("a") as config:
            config.write(f"HostCertificate {sshd.host_key}-cert.pub\n")
        sshd.log_file.unlink()
        sshd.start()

    def alias(self, name: str, *lines: str) -> None:
        self._hosts[name] = ["HostName 127.0.0.1", *lines]

    def put_on_file(self, line: str) -> None:
        with self.known.open("a") as file:
            file.write(line + "\n")

    def config(self, *first: str) -> Path:
        path = self.folder / "ssh_config"
        lines = list(first)
        for name, own in self._hosts.items():
            lines += [f"Host {name}", *own]
        lines += ["Host *", f"UserKnownHostsFile {self.known}", "GlobalKnownHostsFile none", "IdentityAgent none"]
        lines += [f"IdentityFile {self.key}", "IdentitiesOnly yes"]
        path.write_text("\n".join(lines) + "\n")
        return path

    def site(self, *first: str, **profile: Any) -> Site:
        """`first` are lines at the top of the ssh configuration."""
        hosts = {name: HostProfile(**profile) for name in self._hosts}
        return Site(site=1, name="bench", ssh_config=str(self.config(*first)), hosts=hosts)

    def stop(self) -> None:
        for sshd in self._running:
            sshd.stop()


@contextlib.contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    if os.geteuid() == 0:
        # Its privilege separation folder; the package makes it at boot (sshd(8)).
        Path("/run/sshd").mkdir(exist_ok=True)
    bench = Bench(folder)
    try:
        yield bench
    finally:
        bench.stop()
