"""Starting a child process in such a way that it can be called off in the middle, and ending it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def start(program: str, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
    """As `asyncio.create_subprocess_exec`, which it is not safe to cancel; raises what that raises.

    Cancelled before it has connected the pipes, it kills the child and then waits until they are closed: for ever,
    where something that the child started holds them open. So the start is finished first here, and then the child is
    killed.
    """
    starting = asyncio.ensure_future(asyncio.create_subprocess_exec(program, *arguments, **options))
    try:
        return await unbroken(starting)
    except asyncio.CancelledError:
        if not starting.cancelled() and not starting.exception():
            let_go(starting.result())
        raise


async def unbroken(work: Awaitable[T]) -> T:
    """What it gives, once it is done: however often this is cancelled meanwhile, that is raised only then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # taken notice of, for the cancellation is what is raised
        raise


def let_go(child: asyncio.subprocess.Process) -> None:
    """Kill it and close our ends of its pipes, whoever else holds the other ends open."""
    # Process has no close of its own; without it the pipes would outlive the event loop.
    child._transport.close()  # type: ignore[attr-defined]


async def hang_up(child: asyncio.subprocess.Process, seconds: float) -> None:
    """Close the standard input of a child that ends by itself then; kill it when it has not within `seconds`."""
    if child.stdin:
        child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), seconds)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
