"""Programs that make the parts of the full lab: found, or named with their Debian packages, and run."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.card import fitness
from runbook.children import start as start_child
from runbook.errors import EnvironmentLacks

PROGRAMS: Mapping[str, str] = {
    "dockerd": "docker.io",
    "debootstrap": "debootstrap",
    "go": "golang-go",
    "gcc": "gcc",
    "pkg-config": "pkg-config",
    "openssl": "openssl",
    "tar": "tar",
    "chroot": "coreutils",
    "setpriv": "util-linux",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    **fitness.PROGRAMS,
}
"""Each program that is called, and the Debian package that brings it."""

SOURCES = Path("/usr/share/gocode")
FILES: Mapping[Path, str] = {
    SOURCES / "src/github.com/smallstep/certificates/commands/app.go": "golang-github-smallstep-certificates-dev",
    Path("/usr/include/PCSC/winscard.h"): "libpcsclite-dev",
    Path("/usr/include/stdio.h"): "libc6-dev",
    fitness.DRIVER: "vsmartcard-vpcd",
}

_NEEDED_DISK = 1_500_000_000
"""Bytes while the base image is made; 300 MB stay."""


def require(place: Path) -> None:
    """That this machine can have a full lab at all, `place` being where its cache lies; raises EnvironmentLacks."""
    if os.geteuid() != 0:
        raise EnvironmentLacks(
            "the full lab needs root: it starts a Docker engine in namespaces of its own",
            remedy="Become root (sudo -i) and call it again. `runbook rehearse` without --full needs no root.",
        )
    codename()
    missing = {package for name, package in PROGRAMS.items() if fitness.program(name) is None}
    missing |= {package for path, package in FILES.items() if not path.exists()}
    if missing:
        raise EnvironmentLacks(
            f"the full lab needs Debian packages that are not here: {', '.join(sorted(missing))}",
            remedy=f"apt-get install --no-install-recommends {' '.join(sorted(missing))}",
        )
    if not Path(sys.executable).with_name("ansible-playbook").exists():
        raise EnvironmentLacks(
            "the full lab needs Ansible beside the program", remedy="pip install 'hsm-runbook[ansible]'"
        )
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if free < _NEEDED_DISK:
        raise EnvironmentLacks(
            f"the full lab needs {_NEEDED_DISK / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free",
            where=str(there),
            remedy="Free some space there, or set XDG_CACHE_HOME to a folder on another disk.",
        )


def codename() -> str:
    """Of this machine's Debian, which the base image is made of too; raises EnvironmentLacks."""
    try:
        said = platform.freedesktop_os_release()
    except OSError:
        said = {}
    name = said.get("VERSION_CODENAME", "")
    if said.get("ID") != "debian" or not name:
        raise EnvironmentLacks(
            f"the full lab is made of Debian's packages, and this is {said.get('PRETTY_NAME', 'an unknown system')}",
            remedy="Use a Debian machine for it. `runbook rehearse` without --full runs here.",
        )
    return name


async def run(
    *command: str, log: Path, deadline: float, environment: Mapping[str, str] | None = None, what: str, remedy: str = ""
) -> None:
    """Run to the end, with the output in `log`; raises EnvironmentLacks, `what` being what has failed."""
    with log.open("ab") as output:
        process = await start_child(
            *confined(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            process_group=0,
        )
    try:
        async with asyncio.timeout(deadline):
            status = await process.wait()
    except TimeoutError as error:
        raise EnvironmentLacks(f"{what}: it took longer than {deadline:g} s", where=str(log), remedy=remedy) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        said = await asyncio.to_thread(log.read_text, errors="replace")
        last = said.strip().splitlines()[-1:] or [f"exit status {status}"]
        raise EnvironmentLacks(f"{what}: {last[0][-400:]}", where=str(log), remedy=remedy)


def confined(command: Sequence[str]) -> list[str]:
    """The command with all that it starts, in namespaces that end with it and with us; what it mounts goes too."""
    first = fitness.program(command[0]) or command[0]
    unshare = (str(fitness.program("unshare")), "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    return [str(fitness.program("setpriv")), "--pdeathsig", "KILL", *unshare, first, *command[1:]]
