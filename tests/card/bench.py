"""A reader with a card, and the real tools in front of it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from rehearsal.card.personalise import CardKey, personalise
from rehearsal.card.virtual_reader import VirtualReader
from runbook.secrets import Secret

MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
PIN = "648219"
SO_PIN = "3537363231383830"
KEYS = (
    CardKey(b"\x01", "P-384", "intermediate"),
    CardKey(b"\x02", "P-256", "ssh-host"),
    CardKey(b"\x03", "P-256", "ssh-user"),
)


@dataclass(frozen=True)
class Done:
    """What a tool did: exit status, standard output, standard error."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Bench:
    """A reader with cards, and the real tools in front of it. PINs are for `env:PIN` and `env:SO_PIN`.

    Commands are split at white space.
    """

    reader: VirtualReader
    folder: Path

    async def run(self, *command: str, stdin: bytes | None = None, deadline: float = 30, **environment: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            *(word for part in command for word in part.split()),
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                **self.reader.environment,
                "LC_ALL": "C",
                "PIN": PIN,
                "SO_PIN": SO_PIN,
                **environment,
            },
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin), deadline)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return Done(process.returncode or 0, out.decode(), err.decode())

    async def pkcs11(self, *arguments: str, **environment: str) -> Done:
        return await self.run("pkcs11-tool", "--module", MODULE, *arguments, **environment)

    async def login(self, *arguments: str, pin: str = PIN) -> Done:
        return await self.pkcs11("--login", "--pin", "env:PIN", *arguments, PIN=pin)

    async def flags(self) -> set[str]:
        return set(field((await self.pkcs11("-L")).out, "token flags").split(", "))

    async def counters(self) -> tuple[str, str]:
        """What sc-hsm-tool says of the SO-PIN and of the user PIN."""
        lines = (await self.run("sc-hsm-tool")).out.splitlines()
        return next(line for line in lines if "SO-PIN " in line and "with" not in line), next(
            line for line in lines if line.startswith("User PIN ")
        )


def field(text: str, name: str) -> str:
    """The value of the first line `name : value`."""
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.strip().startswith(name))


def make_card(
    path: Path, *, serial: str = "DENK0123456", label: str = "ccat-intermediate", pin_pad: bool = False
) -> Path:
    personalise(
        path,
        serial=serial,
        label=label,
        user_pin=Secret.from_text(PIN),
        so_pin=Secret.from_text(SO_PIN),
        keys_to_make=KEYS,
        pin_pad=pin_pad,
    )
    return path
