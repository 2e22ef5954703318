"""Ending the small processes that `ssh` is started as."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

_ENDING = 3.0


async def end(process: asyncio.subprocess.Process) -> None:
    """End it and its process group, of which it is the leader, within a bound; does not raise."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ENDING):
            await process.wait()
    # Its pipes too, with what is unread in them; asyncio.subprocess has no public name for that.
    process._transport.close()  # type: ignore[attr-defined]
