"""A card in a real reader, the ceremony's export beside it, and everything as it was between two cases."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal import smartcard
from rehearsal.artefacts import KEY_LABELS, write_export
from rehearsal.card import state
from rehearsal.card.client import CardControl
from rehearsal.card.virtual_reader import VirtualReader
from rehearsal.smartcard import CardPlaces
from runbook.paths import JOURNAL_NAME
from runbook.record.verify import verify
from runbook.secrets import Secret
from runbook.site import Site
from tests.campaign.steps import LABEL

PIN = "648219"
_SO_PIN = "3537363231383830"
_SELECT = "00A4040C0BE82B0601040181C31F0201"
"""The applet, by its name."""

_PCSCD_LOOKS = 0.4
"""Seconds between two looks of pcscd into its readers."""


@dataclass
class Bench:
    """One reader, with a card of ours and a stranger's that has the same label and the same PIN.

    The stranger's card would take our PIN: were it ever sent there, its own count would tell.
    """

    folder: Path
    reader: VirtualReader
    site: Site
    _card: Path = Path()
    """The state of our card that is in use."""
    _number: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def control(self) -> CardControl:
        return self.reader.control

    async def restore(self, *, anew: bool = False) -> None:
        """Our card with all its attempts, in a reader that works; `anew`: also if nothing seems to be wrong."""
        await self.control.clear()
        if not self.pcscd_runs:
            await self.restart_pcscd()
        now = await self.control.status()
        ours = now.inserted and now.serial == self.site.tokens["intermediate"].serial
        if anew or not ours or now.user_tries == 0:
            await self.insert_fresh()
        await self.reader.pcscd.wait_for_cards(1)
        if (await self.control.status()).user_tries != 3:
            await self._type_the_right_pin()

    async def insert_fresh(self) -> None:
        """Our card as the ceremony left it, powered."""
        before = await self.control.status()
        if before.inserted:
            await self.control.pull()
            await asyncio.sleep(_PCSCD_LOOKS)  # the next line asks often, which is dear
            await self.reader.pcscd.wait_for_cards(0)  # it would not notice the exchange
        self._card = self.folder / f"{next(self._number)}.card"
        await asyncio.to_thread(shutil.copyfile, self._places.state, self._card)
        await self.control.insert(self._card)
        await self.control.wait_until(lambda now: now.power_ups > before.power_ups)

    async def _type_the_right_pin(self) -> None:
        """All attempts are there again after it."""
        verify = f"0020008106{PIN.encode().hex()}"
        tool = await asyncio.create_subprocess_exec(
            *("opensc-tool", "--send-apdu", _SELECT, "--send-apdu", verify),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **self.reader.environment},
        )
        await tool.wait()
        if (await self.control.status()).user_tries != 3:
            await self.insert_fresh()
            await self.reader.pcscd.wait_for_cards(1)

    async def insert_stranger(self) -> None:
        await self.control.insert(self._places.other)

    async def strangers_checks(self) -> int:
        """How often a PIN was ever tried on the stranger's card."""
        card = await asyncio.to_thread(state.read, self._places.other)
        return card.user_pin.checks if card.user_pin else 0

    async def our_checks(self) -> int:
        """How often a PIN was tried on the card that was put in last."""
        card = await asyncio.to_thread(state.read, self._card)
        return card.user_pin.checks if card.user_pin else 0

    def run_folder(self) -> Path:
        """A new folder for a run."""
        return self.folder / "runs" / str(next(self._number))

    def verified(self, run: Path) -> tuple[list[str], str]:
        """What `verify` finds wrong with the run's journal, and its text; the folder is removed."""
        path = run / JOURNAL_NAME
        found, text = verify(path), path.read_text()
        shutil.rmtree(run)
        return [str(problem) for problem in found.problems], text

    @property
    def pcscd_pid(self) -> int:
        process = self.reader.pcscd._process
        return process.pid if process else 0

    @property
    def pcscd_runs(self) -> bool:
        process = self.reader.pcscd._process
        return process is not None and process.returncode is None

    async def kill_pcscd(self) -> None:
        process = self.reader.pcscd._process
        assert process
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()

    async def restart_pcscd(self) -> None:
        await self.reader.pcscd.stop()
        await self.reader.pcscd.start()
        await self.reader.pcscd.wait_for_cards(int((await self.control.status()).inserted))

    @property
    def _places(self) -> CardPlaces:
        return CardPlaces(self.folder)


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Bench]:
    """A bench in a folder of its own with a short path (sockets are made in it)."""
    folder = Path(tempfile.mkdtemp(prefix="campaign"))
    try:
        site = await asyncio.to_thread(_furnish, folder)
        places = CardPlaces(folder)
        async with VirtualReader(places.reader, [places.state]) as reader:
            bench = Bench(folder, reader, site)
            await bench.restore(anew=True)
            yield bench
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)


def _furnish(folder: Path) -> Site:
    pin, so_pin = Secret.from_text(PIN), Secret.from_text(_SO_PIN)
    token = smartcard.make_card(folder, LABEL, KEY_LABELS, pin=pin, so_pin=so_pin)
    smartcard.make_other_card(folder, LABEL, KEY_LABELS, pin=pin, so_pin=so_pin)
    write_export(folder / "export-usb", token.points)
    (folder / "reader").mkdir()
    profile = {
        "module": str(token.module),
        "label": token.label,
        "serial": token.serial,
        "env": dict(token.environment),
    }
    return Site.model_validate({"site": 1, "name": "campaign", "tokens": {"intermediate": profile}})
