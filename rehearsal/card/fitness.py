"""Whether this machine can run a virtual reader, and if not, why."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from rehearsal.card import children, hold
from runbook.children import start as start_child

DRIVER = Path(hold.PLACE, "serial/libifdvpcd.so")
PROGRAMS = {
    "pcscd": "pcscd",
    "opensc-tool": "opensc",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "ip": "iproute2",
}
"""Each program that is called, and the Debian package that brings it."""
_DEADLINE = 10.0


def program(name: str) -> str | None:
    """Where a program is; daemons are not on everybody's PATH."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def namespaces() -> list[str]:
    """The options of unshare(1) for the namespaces: root needs none to be root in."""
    return ["--mount", "--net"] if os.geteuid() == 0 else ["--map-root-user", "--mount", "--net"]


async def obstacle() -> str | None:
    """What keeps a virtual reader from running here, as a sentence for people; None when nothing does."""
    missing = sorted({package for name, package in PROGRAMS.items() if program(name) is None})
    if not await asyncio.to_thread(DRIVER.exists):
        missing.append("vsmartcard-vpcd")
    if missing:
        return f"packages are missing: {', '.join(missing)}"
    code, output = await _run(str(program("pcscd")), "--version")
    if code or "libsystemd" not in output:
        return "this pcscd cannot be given a socket of its own (it is built without libsystemd)"
    if "polkit" in output and os.geteuid() != 0:
        return "this pcscd asks polkit, which lets only root in here"
    code, output = await _run(str(program("unshare")), *namespaces(), "true")
    if code:
        return f"this machine allows no namespaces of one's own: {output.strip()}"
    return None


async def _run(*command: str) -> tuple[int, str]:
    process = await start_child(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _DEADLINE)
    except TimeoutError:
        return 1, "no answer"
    finally:
        await children.end(process)
    return process.returncode or 0, output.decode(errors="replace")
