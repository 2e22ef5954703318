"""Software SmartCard-HSMs in virtual readers, as a site profile names them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.card.client import CardControl
from rehearsal.card.personalise import CardKey, personalise
from rehearsal.card.status import CardStatus
from rehearsal.card.virtual_reader import VirtualReader
from runbook.secrets import Secret
from runbook.site import Site, TokenProfile
from tests.softhsm import LABEL, PIN, SO_PIN

SERIAL = "DENK0100002"
OTHER_SERIAL = "DENK0100009"
KEYS = (CardKey(b"\x01", "P-384", "intermediate"), CardKey(b"\x02", "P-256", "ssh host"))
OPENSC = str(next(Path("/usr/lib").glob("*/opensc-pkcs11.so")))


def make_card(path: Path, serial: str = SERIAL, label: str = LABEL, *, pin_pad: bool = False) -> Path:
    """A card as the ceremony leaves it, out of any reader."""
    user_pin, so_pin = Secret.from_text(PIN), Secret.from_text(SO_PIN)
    pins = {"user_pin": user_pin, "so_pin": so_pin}
    personalise(path, serial=serial, label=label, **pins, keys_to_make=KEYS, pin_pad=pin_pad)
    return path


@dataclass
class CardBench:
    """Readers with cards, and what the program is told of them."""

    folder: Path
    reader: VirtualReader

    @property
    def env(self) -> dict[str, str]:
        return self.reader.environment

    @property
    def card(self) -> CardControl:
        """The first card."""
        return self.reader.control

    def profile(self, serial: str = SERIAL, label: str = LABEL, **env: str) -> TokenProfile:
        return TokenProfile(module=OPENSC, label=label, serial=serial, env=self.env | env)

    def site(self, **tokens: TokenProfile) -> Site:
        return Site(site=1, name="test", tokens=tokens or {"intermediate": self.profile()})

    async def status(self) -> CardStatus:
        return await self.card.status()

    async def tool(self, *argv: str, pin: str = PIN) -> str:
        """Run one of OpenSC's tools in front of the readers; PINs are for `env:PIN`."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=os.environ | self.env | {"PIN": pin, "LC_ALL": "C"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
        return f"{output.decode()}[{process.returncode}]"

    async def spend_attempts(self, count: int) -> None:
        """Somebody types a wrong PIN, with another program."""
        for _ in range(count):
            await self.tool("pkcs11-tool", "--login", "--pin", "env:PIN", "-O", pin="111111")

    async def commands(self, since: int = 0) -> Sequence[str]:
        """The commands the card had, from that number on."""
        return (await self.status()).log[since:]
