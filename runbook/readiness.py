"""Descriptors waited for in the event loop, without a thread."""

from __future__ import annotations

import asyncio


async def ready(fd: int, *, writing: bool = False) -> None:
    """Until it can be read, or written to, without waiting."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    add(fd, _settle, found)
    try:
        await found
    finally:
        remove(fd)


def _settle(found: asyncio.Future[None]) -> None:
    if not found.done():
        found.set_result(None)
