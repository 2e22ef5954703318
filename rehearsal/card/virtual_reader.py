"""Readers with software cards in them, ready for OpenSC."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rehearsal.card import children, fitness, pcscd
from rehearsal.card.client import CardControl
from rehearsal.card.enclosure import Enclosure
from rehearsal.card.errors import CardControlFailed, ReaderUnavailable

_DEADLINE = 10.0
_POLL = 0.01


Within = Callable[..., list[str]]
"""Makes of a command the one that runs it in a network namespace."""


class RunningCard:
    """One card program in its reader: its process, and `control` over it.

    `within`: the network namespace in which its reader listens.
    """

    def __init__(self, within: Within, folder: Path, reader: int, state: Path) -> None:
        self._within = within
        self._socket = folder / f"card-{reader + 1}.control"
        self._log = folder / f"card-{reader + 1}.log"
        self._port = pcscd.port(reader)
        self._state = state
        self._process: asyncio.subprocess.Process | None = None
        self.control = CardControl(self._socket)

    async def start(self, within: Within | None = None, *, powered: bool = True) -> None:
        """Put the card's program to work, `within` another namespace if given. Raises ReaderUnavailable.

        Returns once the reader has powered it; not `powered`: once it waits for a reader.
        """
        card = (sys.executable, "-I", "-m", "rehearsal.card", "--parent", str(os.getpid()))
        where = ("--port", str(self._port), "--control", str(self._socket), "--state", str(self._state))
        self._process = await children.start((within or self._within)(*card, *where), log=self._log)
        try:
            async with asyncio.timeout(_DEADLINE):
                await self._up(self._process, powered=powered)
        except TimeoutError as error:
            raise ReaderUnavailable(f"the reader did not power the card within {_DEADLINE:g} s") from error

    @property
    def running(self) -> bool:
        """Whether its program runs."""
        return self._process is not None and self._process.returncode is None

    async def stop(self) -> None:
        """End the card's program."""
        if self._process:
            await children.end(self._process)

    async def kill(self) -> None:
        """Kill the card's program as a power cut would (SIGKILL)."""
        if self._process:
            self._process.kill()
            await self._process.wait()

    async def _up(self, process: asyncio.subprocess.Process, *, powered: bool) -> None:
        while process.returncode is None:
            with contextlib.suppress(CardControlFailed):  # it does not listen yet
                if (await self.control.status()).power_ups or not powered:
                    return
            await asyncio.sleep(_POLL)
        log = await asyncio.to_thread(self._log.read_text, errors="replace")
        raise ReaderUnavailable(f"the card's program ended: {log[-500:].strip()}", where=str(self._log))


class VirtualReader:
    """One reader for each state file in `cards`, on a pcscd of its own, as long as the context lasts.

    `folder` is an empty one of ours with a short path (two Unix sockets are made in it). `environment` is what a
    PC/SC client needs to meet these readers and no others. Not `running`: neither pcscd nor the cards are started.
    Raises ReaderUnavailable when it cannot run here.
    """

    def __init__(self, folder: Path, cards: Sequence[Path], *, running: bool = True) -> None:
        self._folder = folder
        self._states = cards
        self._running = running
        self._stack = contextlib.AsyncExitStack()
        self.cards: list[RunningCard] = []

    async def __aenter__(self) -> VirtualReader:
        if reason := await fitness.obstacle():
            raise ReaderUnavailable(
                f"a virtual card reader cannot run on this machine: {reason}",
                remedy="The rehearsal can use SoftHSM2 instead, which has no PIN counter.",
            )
        drivers = self._folder / "drivers"
        await asyncio.to_thread(pcscd.lay_out, drivers, len(self._states))
        async with contextlib.AsyncExitStack() as stack:
            enclosure = await stack.enter_async_context(Enclosure(drivers))
            self.pcscd = pcscd.Pcscd(enclosure, self._folder)
            stack.push_async_callback(self.pcscd.stop)
            for reader, state in enumerate(self._states):
                card = RunningCard(partial(enclosure.command, mounts=False), self._folder, reader, state)
                self.cards.append(card)
                stack.push_async_callback(card.stop)
            if self._running:
                await self.pcscd.start()
                await asyncio.gather(*(card.start() for card in self.cards))
                await self.pcscd.wait_for_cards(len(self.cards))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()

    @property
    def environment(self) -> dict[str, str]:
        """What a PC/SC client needs in its environment."""
        return self.pcscd.environment

    @property
    def control(self) -> CardControl:
        """Control over the first card."""
        return self.cards[0].control
