"""Pipes and processes waited for in the event loop: no thread is needed, and nothing that can be broken off halfway."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from runbook.readiness import ready

_CHUNK = 64 * 1024


async def chunks(fd: int) -> AsyncIterator[bytes]:
    """What comes through the pipe until it is closed at the other end; `fd` stays the caller's to close."""
    os.set_blocking(fd, False)
    while True:
        await ready(fd)
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            continue
        if not chunk:
            return
        yield chunk


async def send(fd: int, data: bytes | bytearray) -> None:
    """Write it all; a reader that does not want it is free to close the pipe. `fd` stays the caller's to close."""
    os.set_blocking(fd, False)
    rest = memoryview(data)
    while rest:
        await ready(fd, writing=True)
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            return


async def exited(pid: int) -> None:
    """Until this child has ended; it is still to be collected then (pidfd_open(2))."""
    fd = os.pidfd_open(pid)
    try:
        await ready(fd)
    finally:
        os.close(fd)
