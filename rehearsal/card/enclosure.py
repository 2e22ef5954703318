"""The namespaces of a virtual reader, and commands that run inside."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from rehearsal.card import fitness
from rehearsal.card.errors import ReaderUnavailable
from runbook.children import hang_up
from runbook.children import start as start_child

_DEADLINE = 10.0


class Enclosure:
    """Mount and network namespaces of their own, as long as the context lasts; they end with this process.

    `drivers` becomes the folder of pcscd's drivers inside (see `hold`).
    """

    def __init__(self, drivers: Path) -> None:
        self._drivers = drivers
        self._holder: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Enclosure:
        self._holder = await start_child(
            str(fitness.program("unshare")),
            *fitness.namespaces(),
            *(sys.executable, "-I", "-m", "rehearsal.card.hold", str(self._drivers)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,
        )
        try:
            await asyncio.wait_for(self._held(self._holder), _DEADLINE)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._end()

    def command(self, *arguments: str, mounts: bool) -> list[str]:
        """The command that runs `arguments` in the network namespace, and with `mounts` among the mounts too."""
        if self._holder is None:
            raise RuntimeError("the enclosure is not open")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        mount = ["--mount"] if mounts else []
        return [str(fitness.program("nsenter")), "--target", str(self._holder.pid), *user, *mount, "--net", *arguments]

    async def _held(self, holder: asyncio.subprocess.Process) -> None:
        if holder.stdout is None or holder.stderr is None:
            raise RuntimeError("the holder has no pipes")
        if await holder.stdout.readline() != b"held\n":
            reason = (await holder.stderr.read()).decode(errors="replace").strip()
            raise ReaderUnavailable(
                f"the reader's namespaces cannot be made: {reason}", remedy="The rehearsal can use SoftHSM2 instead."
            )

    async def _end(self) -> None:
        holder, self._holder = self._holder, None
        if holder is not None:
            await hang_up(holder, _DEADLINE)
