"""Far sides on this machine: a mount namespace for each command, with its own /bin/sh, or its own sudo and accounts."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.hosts.channel import Channel
from checks.hosts.far import FarMachine
from checks.hosts.local import LocalChannel, LocalConnection
from checks.hosts.sudo import SudoPasswords
from runbook.site import HostProfile
from tests.stand_in import StandIn

SHELLS = ("dash", "bash", "busybox")


class Namespaced(LocalConnection):
    """Runs `setup` as root in a mount namespace of its own, then the command as `prefix` lets it."""

    def __init__(self, setup: str = ":", prefix: str = "", env: dict[str, str] | None = None) -> None:
        self._script = f'set -e\n{setup}\nexec {prefix} /bin/sh -c "$1"'
        self._env = {**os.environ, **(env or {})}
        self.opened: list[asyncio.subprocess.Process] = []

    async def open(self, command: str) -> Channel:
        argv = ("unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", self._script, "bash", command)
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=self._env, start_new_session=True
        )
        self.opened.append(process)
        return LocalChannel(process)


def with_shell(shell: str, folder: Path, *, first: str = "") -> Namespaced:
    """A machine whose /bin/sh is that shell; busybox brings all its tools. `first`: what start-up files run."""
    program = shutil.which(shell)
    assert program, f"{shell} is not installed"
    env: dict[str, str] = {}
    setup = f"{first}\n" if first else ""
    if shell == "busybox":
        tools = folder / "busybox"
        if not tools.is_dir():
            tools.mkdir()
            subprocess.run([program, "--install", "-s", str(tools)], check=True)
        env["PATH"] = f"{tools}:{os.environ['PATH']}"
    # /bin/sh is a link to dash on Debian, so that is what another shell takes the place of.
    setup += f"mount --bind {program} {Path('/bin/sh').resolve()}" if shell != "dash" else ":"
    return Namespaced(setup, env=env)


def far(
    connection: LocalConnection, folder: Path, *, operator: Any = None, **profile: Any
) -> tuple[FarMachine, StandIn]:
    """The machine at the other end of it, and the step that uses it."""
    ctx = StandIn(folder)
    if operator is not None:
        ctx.operator = operator
    return FarMachine("web1", connection, HostProfile(**profile), ctx, SudoPasswords()), ctx


ACCOUNT, UID = "stagehand", 47110
PASSWORD = "correct horse battery"


@dataclass
class SudoHost:
    """What a machine's /etc says about sudo, in files of the test that are bound over this machine's."""

    folder: Path
    rule: str = f"{ACCOUNT} ALL=(ALL) ALL"
    defaults: tuple[str, ...] = ()
    pam: str = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
    more: str = ""
    """Further set-up."""
    made: dict[str, Path] = field(default_factory=dict)

    def connection(self) -> Namespaced:
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD.encode(), capture_output=True, check=True
        ).stdout.decode()
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, UID, UID)
        self._write(
            "/etc/passwd", Path("/etc/passwd").read_text() + f"{ACCOUNT}:x:{UID}:{UID}::{home}:/bin/sh\n", 0o644
        )
        self._write("/etc/shadow", Path("/etc/shadow").read_text() + f"{ACCOUNT}:{hashed.strip()}:19000::::::\n", 0o640)
        lines = ["Defaults secure_path=/usr/sbin:/usr/bin:/sbin:/bin", *(f"Defaults {item}" for item in self.defaults)]
        self._write("/etc/sudoers", "\n".join([*lines, "root ALL=(ALL) ALL", self.rule, ""]), 0o440)
        self._write("/etc/pam.d/sudo", self.pam, 0o644)
        binds = "\n".join(f"mount --bind {made} {place}" for place, made in self.made.items())
        # What is cached or lectured stays in the namespace too.
        setup = f"{binds}\nmount -t tmpfs none /run\nmount -t tmpfs none /var/lib/sudo\n{self.more}\ncd {home}"
        for folder in (self.folder, *self.folder.parents):
            folder.chmod(folder.stat().st_mode | 0o011)
        return Namespaced(setup, prefix=f"setpriv --reuid {UID} --regid {UID} --clear-groups")

    def _write(self, place: str, text: str, mode: int) -> None:
        made = self.folder / place.strip("/").replace("/", "-")
        made.write_text(text)
        made.chmod(mode)
        self.made[place] = made


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> None:
    """Until the process has ended."""
    await asyncio.to_thread(_until, lambda: not alive(pid))


async def content(path: Path) -> str:
    """What is in the file, once a whole line is."""
    await asyncio.to_thread(_until, lambda: path.exists() and path.read_text().endswith("\n"))
    return (await asyncio.to_thread(path.read_text)).strip()


def _until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)
