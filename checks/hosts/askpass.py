"""Questions of the system's `ssh` to a person, answered through the program's own masked prompts.

An answer goes over a private socket and a pipe; it is in no argument and no environment. A question whether a host
key is to be accepted, or anything else to be confirmed, is always answered by no.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from checks.hosts.askpass_helper import ACCEPTED
from checks.hosts.passphrases import Passphrases
from checks.hosts.patience import Prompts
from runbook.errors import OperatorStopped, PromptCancelled
from runbook.secrets import Secret
from runbook.text import clean_line

_HELPER = Path(__file__).with_name("askpass_helper.py")
_REFUSED = b"-"
_MAX_PROMPT = 16 * 1024
_YES_OR_NO = re.compile(r"\(yes/no|fingerprint\]\)\?|continue connecting", re.IGNORECASE)
_PIN = re.compile(r"^Enter PIN for ")
_PASSPHRASE = re.compile(r"Enter passphrase for (?:key )?['\"]?(.+?)['\"]?: ?$")


class Askpass:
    """The other end of the helper, for one connection while it is made."""

    def __init__(
        self, folder: Path, who: str, prompts: Prompts, passphrases: Passphrases, *, leave: Callable[[], None]
    ) -> None:
        self._socket = folder / "ask"
        self._program = folder / "askpass"
        self._who = who
        self._prompts = prompts
        self._leave = leave
        self._passphrases = passphrases
        self._server: asyncio.Server | None = None
        self.left: PromptCancelled | OperatorStopped | None = None
        """Set when the person left a question without an answer."""
        self.passphrases_given: list[str] = []
        """The keys that a passphrase was given for."""
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> dict[str, str]:
        """Listen; returns what the environment of `ssh` needs."""
        # sys.executable may hold a blank or be too long for a first line with `#!`.
        call = shlex.join([sys.executable, "-I", "-S", str(_HELPER), str(self._socket)])
        self._program.write_text(f'#!/bin/sh\nexec {call} "$1"\n')
        self._program.chmod(0o700)
        self._server = await asyncio.start_unix_server(self._serve, self._socket, limit=_MAX_PROMPT)
        return {"SSH_ASKPASS": str(self._program), "SSH_ASKPASS_REQUIRE": "force"}

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secret: Secret | None = None
        try:
            kind, _, prompt = (await reader.read(_MAX_PROMPT)).decode(errors="replace").partition("\0")
            if kind == "none":
                # A notice ("touch the key"): it stands until ssh takes it away.
                await asyncio.Event().wait()
            secret = await self._ask(kind, prompt)
            writer.write(_REFUSED if secret is None else ACCEPTED)
            if secret:
                writer.write(secret.reveal())
            await writer.drain()
        except (OSError, ValueError):
            pass
        finally:
            writer.close()
            if secret is not None:
                secret.wipe()

    async def _ask(self, kind: str, prompt: str) -> Secret | None:
        """The answer, for whoever wipes it after use; None: a refusal."""
        if kind == "confirm" or _YES_OR_NO.search(prompt):
            return None
        try:
            if found := _PASSPHRASE.match(prompt):
                passphrase = await self._passphrases.ask(found[1], self._prompts)
                self.passphrases_given.append(found[1])
                return passphrase
            question = clean_line(prompt, 300).strip().rstrip(":").rstrip()
            purpose = "It is used on this machine, once." if _PIN.search(prompt) else "It is sent to the host once."
            return await self._prompts.secret(f"{question} — {self._who}", purpose)
        except (PromptCancelled, OperatorStopped) as left:
            self.left = left
            self._leave()
            return None

    async def close(self) -> None:
        """Whatever is being asked is not asked any more: nobody waits for the answer."""
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)
        if self._server is not None:
            self._server.close()
        for path in (self._socket, self._program):
            path.unlink(missing_ok=True)
