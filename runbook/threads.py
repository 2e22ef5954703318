"""Work that blocks, in a thread that nothing waits for but who asked for the result.

For what only reads, wherever that lies: a share that hangs must not keep the program from ending. What writes goes
through `asyncio.to_thread`: the program's end waits for it, so that nothing is left half written.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

_BEGINS = 10.0
"""Seconds after which a thread that has not begun never will."""

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """`function` in a thread of its own that does not hold up the program's end, whatever it waits for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not future.done():
            give()

    def hand_over(give: Callable[[], None]) -> None:
        # Whoever waited may be gone, and the loop with them.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, give)

    begun = False

    def work() -> None:
        nonlocal begun
        begun = True
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            hand_over(partial(future.set_exception, error))
        else:
            hand_over(partial(future.set_result, result))

    def look() -> None:
        if not begun:
            future.set_exception(MemoryError("a thread did not begin"))

    # Not threading.Thread: its start waits, and holds up the loop for ever, where there is not enough memory for the
    # new thread to begin.
    _thread.start_new_thread(work, ())
    looking = loop.call_later(_BEGINS, look)
    future.add_done_callback(lambda _: looking.cancel())
    return await future
