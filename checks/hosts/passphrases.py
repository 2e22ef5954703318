"""Private keys on file: each passphrase is asked for once, and what it opened is forgotten when the stage ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from checks.hosts.patience import Prompts
from runbook.secrets import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import SSHPrivateKeyTypes


class KeyUnusable(Exception):
    """A key that cannot be used, and why."""


class Passphrases:
    """The passphrases and opened keys of one stage."""

    def __init__(self) -> None:
        self._known: dict[str, Secret] = {}
        self._opened: dict[Path, SSHPrivateKeyTypes] = {}
        self._locks: dict[Path, asyncio.Lock] = {}

    async def private_key(self, path: Path, prompts: Prompts) -> SSHPrivateKeyTypes:
        """The opened key. Raises KeyUnusable and PromptCancelled."""
        async with self._locks.setdefault(path, asyncio.Lock()):
            if path not in self._opened:
                self._opened[path] = await self._open(path, prompts)
            return self._opened[path]

    async def _open(self, path: Path, prompts: Prompts) -> SSHPrivateKeyTypes:
        try:
            return await asyncio.to_thread(_load, path, None)
        except TypeError:
            secret = await self.ask(str(path), prompts)
        except Exception as error:
            raise KeyUnusable(f"{path}: this key cannot be read: {error}") from error
        try:
            return await asyncio.to_thread(_load, path, secret)
        except Exception as error:
            self.wrong(str(path))
            raise KeyUnusable(f"{path}: the passphrase does not open it") from error
        finally:
            secret.wipe()

    async def ask(self, path: str, prompts: Prompts) -> Secret:
        """A copy of the key's passphrase, to be wiped after use; asked for where it is not known.

        Raises PromptCancelled.
        """
        if path not in self._known:
            self._known[path] = await prompts.secret(f"Passphrase of {path}", "It opens the key on this machine.")
        known = self._known[path]
        copy = Secret(known.reveal() if known else b"")
        known.rest()
        return copy

    def wrong(self, path: str) -> None:
        """What was typed does not open the key: ask anew next time."""
        if known := self._known.pop(path, None):
            known.wipe()

    def forget(self) -> None:
        for secret in self._known.values():
            secret.wipe()
        self._known.clear()
        self._opened.clear()


def _load(path: Path, passphrase: Secret | None) -> SSHPrivateKeyTypes:
    """Raises TypeError where a passphrase is needed."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    data = path.read_bytes()
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in data else load_pem_private_key
    if not passphrase:
        return load(data, None)  # type: ignore[return-value] # judged when it signs
    with passphrase.lent() as lent:
        return load(data, lent)  # type: ignore[return-value] # likewise
