"""A process that waits beside an interactive command, and ends what that leaves running: also when we are killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from pathlib import Path
from typing import Self

from runbook.children import hang_up, start

_SCRIPT = Path(__file__).with_name("leftovers.py")
_PATIENCE = 10.0
"""Seconds for its sweep, which bounds itself."""


class Sweeper:
    """Of one command, whose environment holds `mark`."""

    def __init__(self, mark: str, child: asyncio.subprocess.Process) -> None:
        self.mark = mark
        """The value of `leftovers.MARK`."""
        self._child = child

    @classmethod
    async def start(cls) -> Self:
        """Beside nothing yet; raises OSError. In a session of its own, for what hangs up here is not meant for it."""
        mark = secrets.token_hex(8)
        child = await start(
            sys.executable,
            "-I",
            "-S",
            str(_SCRIPT),
            mark,
            str(os.getsid(0)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(mark, child)

    async def sweep(self) -> int:
        """End what the command has left running; how many processes that were."""
        assert self._child.stdout is not None  # noqa: S101 - it is a pipe
        answer = asyncio.ensure_future(self._child.stdout.read())
        await hang_up(self._child, _PATIENCE)
        with contextlib.suppress(ValueError):  # somebody ended it
            return int(await answer)
        return 0
