"""Child processes of the virtual reader: started out of reach of ctrl-c, ended politely, then not."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from runbook.children import start as start_child

_GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""


async def start(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> asyncio.subprocess.Process:
    """Start a command whose output goes to the end of `log`."""
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return await start_child(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=fd,
            stderr=fd,
            env={**os.environ, **(environment or {})},
            pass_fds=pass_fds,
            process_group=0,
        )
    finally:
        os.close(fd)


async def end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and after two seconds SIGKILL; returns once the process is gone."""
    for stop in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE)
