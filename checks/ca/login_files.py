"""A key and its certificate in a private folder, for as long as a connection is made with them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from checks.hosts.identity import Identity
from runbook.children import hang_up, start
from runbook.errors import StepError

# It reads until our end of the pipe is closed: by us, or by the system when this program is killed.
_SWEEPER: Final = 'trap "" HUP INT TERM QUIT; read -r _; rm -rf -- "$0"'

_ENDING: Final = 10.0
"""Seconds for the sweeper to end."""


class NoPlace(StepError):
    """There is no folder on this machine for files that are needed for a moment."""

    symptom = "no place"


_PLACES: Final = ("/dev/shm", tempfile.gettempdir())  # noqa: S108 - mkdtemp makes it private


@contextlib.asynccontextmanager
async def login_files(key: bytes | bytearray, certificate: str) -> AsyncIterator[Identity]:
    """Both as files of mode 0600 in a folder of mode 0700, in memory where the machine has such a place.

    They are gone when this ends, however it does; a small process outlives this program for a moment to see to it.
    Raises NoPlace.
    """
    folder = await asyncio.to_thread(_folder)
    try:
        sweeper = await start(
            *("sh", "-c", _SWEEPER, str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield await asyncio.to_thread(_write, folder, key, certificate)
        finally:
            await asyncio.shield(_swept(sweeper, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    """Raises NoPlace."""
    for place in (os.environ.get("XDG_RUNTIME_DIR", ""), *_PLACES):
        with contextlib.suppress(OSError):
            if place:
                return Path(tempfile.mkdtemp(prefix="runbook-login-", dir=place))
    raise NoPlace(
        "there is no folder to write into for a moment",
        remedy="Make $XDG_RUNTIME_DIR, /dev/shm or $TMPDIR a folder that this account may write into.",
    )


def _write(folder: Path, key: bytes | bytearray, certificate: str) -> Identity:
    made = Identity(folder / "key", folder / "key-cert.pub")
    for path, content in ((made.key, key), (made.certificate, certificate.encode())):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(content)
    return made


async def _swept(sweeper: asyncio.subprocess.Process, folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    await hang_up(sweeper, _ENDING)
