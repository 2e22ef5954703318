"""One machine of the lab, as its administrator sees it, and everything that can happen to its line."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.ssh_lab.keys import fingerprint
from tests.ssh_lab.namespaces import Namespaces
from tests.ssh_lab.plan import INNER, JUMP, UNITS

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Host:
    """A machine; whatever a test changes on it, the test puts back."""

    name: str
    inside: Namespaces
    lab: Namespaces
    keys: Path

    @property
    def address(self) -> str:
        """Behind the jump host."""
        return INNER[self.name]

    @property
    def fingerprint(self) -> str:
        """Of its Ed25519 host key."""
        return fingerprint(self.keys / f"host-{self.name}.pub")

    # what an administrator does

    def run(self, *argv: str, stdin: str = "", check: bool = True) -> str:
        """As root on the machine, without ssh; the standard output."""
        done = subprocess.run(
            [*self.inside.enter(), *argv],
            input=stdin,
            env=self.inside.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, content: str, *, mode: int = 0o644, owner: str = "root") -> None:
        script = 'umask 077; mkdir -p "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"; chown "$3" "$1"'
        self.run("sh", "-c", script, "sh", path, f"{mode:o}", owner, stdin=content)

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def exists(self, path: str) -> bool:
        return self.run("sh", "-c", '[ -e "$1" ] && echo yes || echo no', "sh", path) == "yes\n"

    def remove(self, path: str) -> None:
        self.run("rm", "-rf", path)

    def unit(self, name: str, **properties: str) -> None:
        """What the stand-in for systemctl shows of a unit: `LoadState`, `ActiveState`, `UnitFileState`…"""
        self.write(f"{UNITS}/{name}", "".join(f"{key}={value}\n" for key, value in properties.items()))

    def processes(self) -> dict[int, str]:
        """The command lines of all processes by their number there, without the init, sshd, and the looking itself."""
        script = (
            'for p in /proc/[0-9]*; do n=${p#/proc/}; [ "$n" = $$ ] || '
            """{ printf '%s ' "$n"; tr '\\0\\n' '  ' < "$p/cmdline"; echo; } 2>/dev/null; done"""
        )
        shown = self.run("sh", "-c", script)
        pairs = (line.split(" ", 1) for line in shown.splitlines())
        found = {int(pair[0]): pair[1].strip() for pair in pairs if len(pair) == 2}
        return {pid: line for pid, line in found.items() if line and pid != 1 and "sshd" not in line.split(" ")[0]}

    def running(self, mark: str) -> list[int]:
        """The processes there with the mark in their command line."""
        return [pid for pid, line in self.processes().items() if mark in line]

    def until(self, mark: str, *, running: bool, seconds: float = SECONDS) -> None:
        """Wait until a process with the mark runs there, or none does."""
        deadline = time.monotonic() + seconds
        while bool(self.running(mark)) != running:
            assert time.monotonic() < deadline, f"{mark} running on {self.name}: {self.processes()}"
            time.sleep(0.05)

    @property
    def log(self) -> str:
        """What sshd wrote."""
        return self.read("/var/log/sshd.log")

    # sshd

    def start_sshd(self, config: str = "/etc/ssh/sshd_config") -> None:
        """It goes to the background before it listens, so its exit status says nothing of that."""
        self.run("/usr/sbin/sshd", "-f", config, "-E", "/var/log/sshd.log")
        self.until_listening()

    def until_listening(self) -> None:
        self._wait(self.listens, "sshd does not listen")

    def listens(self) -> bool:
        """Whether something listens on port 22 (proc(5), /proc/net/tcp: state 0A)."""
        rows = [line.split() for line in self.run("cat", "/proc/net/tcp").splitlines()[1:]]
        return any(row[1].endswith(":0016") and row[3] == "0A" for row in rows)

    def kill_sshd(self) -> None:
        """Every one; comes back when they are gone and the port is free."""
        self.signal_sshd("KILL")
        self._wait(lambda: not self.sshd_pids() and not self.listens(), "sshd does not end")

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"{what} on {self.name}"
            time.sleep(0.02)

    def sshd_pids(self) -> list[int]:
        """The listener and what serves connections."""
        script = 'for p in /proc/[0-9]*; do read -r c < "$p/comm" && [ "$c" = sshd ] && echo "${p#/proc/}"; done; true'
        return [int(line) for line in self.run("sh", "-c", script).split()]

    def signal_sshd(self, name: str, *, sessions_only: bool = False) -> None:
        """`name` as `KILL`, `STOP`, `CONT`, to every sshd there, or to all but the listener."""
        listener = self.run("cat", "/run/sshd.pid", check=False).strip()
        for pid in self.sshd_pids():
            if not (sessions_only and str(pid) == listener):
                self.run("kill", f"-{name}", str(pid), check=False)

    @contextlib.contextmanager
    def sshd_killed(self) -> Iterator[None]:
        """Every sshd, its connections' too; a new one listens afterwards."""
        self.kill_sshd()
        try:
            yield
        finally:
            self.start_sshd()

    @contextlib.contextmanager
    def sshd_stopped(self) -> Iterator[None]:
        """It answers nothing; the kernel still accepts connections and takes data."""
        self.signal_sshd("STOP")
        try:
            yield
        finally:
            self.signal_sshd("CONT")

    @contextlib.contextmanager
    def impostor(self) -> Iterator[str]:
        """Another sshd at the same address and port, with a key of its own: its fingerprint."""
        self.kill_sshd()
        self.start_sshd("/etc/ssh/impostor_config")
        try:
            yield fingerprint(self.keys / "other-host-key.pub")
        finally:
            self.kill_sshd()
            self.start_sshd()

    # the line

    @property
    def port(self) -> str:
        """The lab's end of the cable on the side that tests come from."""
        return f"{self.name}-{self.bridge}"

    @property
    def bridge(self) -> str:
        return "outer" if self.name == JUMP else "inner"

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """The cable is pulled: nothing passes, nobody is told."""
        self.lab.run("ip", "link", "set", self.port, "nomaster", "down")
        try:
            yield
        finally:
            self.lab.run("ip", "link", "set", self.port, "master", self.bridge, "up")

    @contextlib.contextmanager
    def bad_line(self, *, loss: float = 0.0, delay: float = 0.0) -> Iterator[None]:
        """Loss in percent of the packets and delay in milliseconds, each way."""
        ours, theirs = f"{self.name}-w0", f"{self.name}-w1"
        self.lab.run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs)
        for interface in (ours, theirs):
            self.lab.run(*self.lab.python("tests.ssh_lab.offload"), interface)
            self.lab.run("ip", "link", "set", interface, "up")
        wire = subprocess.Popen(
            [*self.lab.enter(), *self.lab.python("tests.ssh_lab.wire"), self.port, ours, str(loss), str(delay)],
            env=self.lab.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert wire.stdin is not None
        assert wire.stdout is not None
        try:
            assert wire.stdout.readline() == b"ready\n"
            self.lab.run("ip", "link", "set", self.port, "nomaster")
            self.lab.run("ip", "link", "set", theirs, "master", self.bridge)
            yield
        finally:
            self.lab.run("ip", "link", "del", ours)
            self.lab.run("ip", "link", "set", self.port, "master", self.bridge)
            wire.stdin.close()
            wire.stdout.close()
            wire.wait(SECONDS)
