"""In which order a host is asked to let us in, and what is said when it does not."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from checks.hosts.errors import HostError, Unreachable
from checks.hosts.host_keys import where
from checks.hosts.paramiko_auth import Asked, Exchange, Gone, KeyTaken, LetIn, Refused, Reply, accepted_algorithms
from checks.hosts.paramiko_transport import SshTransport
from checks.hosts.passphrases import KeyUnusable, Passphrases
from checks.hosts.patience import Prompts
from checks.hosts.signatures import algorithm_for
from checks.hosts.ssh_config import SshSettings
from checks.hosts.ssh_keys import Candidate, blob_type, candidates, describe, not_let_in
from runbook.secrets import Secret

_SWITCHES = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}
"""The methods that there are here, and the settings that switch them off."""

TOUCHING = 120.0
"""Seconds that a signature may take: a key on a device waits for a touch, an agent may ask."""


class Entry:
    """One attempt to be let in, from the first question to the last."""

    def __init__(self, exchange: Exchange, transport: SshTransport, settings: SshSettings, prompts: Prompts) -> None:
        self._exchange = exchange
        self._transport = transport
        self._settings = settings
        self._prompts = prompts
        self._tried: list[str] = []
        self._notes: list[str] = []
        self._used: list[str] = []

    async def enter(self, passphrases: Passphrases) -> str:
        """What let us in, for people. Raises NotLetIn, Unreachable, PromptCancelled."""
        try:
            return await self._enter(passphrases)
        except Gone:
            raise (
                self._refused("it ended the connection")
                if self._tried
                else Unreachable(
                    "the host ended the connection before anybody was let in",
                    where=where(self._settings),
                    remedy="Look at its sshd's log; it may be out of room for connections (MaxStartups).",
                )
            ) from None

    async def _enter(self, passphrases: Passphrases) -> str:
        await self._exchange.begin()
        reply: Reply = await self._exchange.none()
        found = await candidates(self._settings, passphrases, self._prompts)
        self._notes = found.notes
        keys, left = found.keys, self._methods()
        while isinstance(reply, Refused):
            if not keys and "publickey" in left:
                left.remove("publickey")
            method = next((name for name in left if name in reply.methods), "")
            if method == "publickey":
                reply = await self._by_key(keys.pop(0), reply)
            elif method:
                left.remove(method)
                reply = await (self._by_questions() if method == "keyboard-interactive" else self._by_password())
            else:
                raise self._refused(f"it asks for {', '.join(reply.methods) or 'nothing'}")
        if not isinstance(reply, LetIn):
            raise self._refused("its answer does not fit the question")
        return " and ".join(self._used) or "nothing was asked for"

    def _methods(self) -> list[str]:
        """Those that the configuration lets us use, in its order (ssh_config(5), PreferredAuthentications)."""
        preferred = self._settings.value("preferredauthentications").split(",")
        order = preferred if preferred != [""] else list(_SWITCHES)
        off = [name for name, keyword in _SWITCHES.items() if self._settings.value(keyword) in ("no", "false")]
        return [name for name in order if name in _SWITCHES and name not in off]

    async def _by_key(self, key: Candidate, before: Refused) -> Reply:
        blob = key.blob
        try:
            if not blob and key.load:
                blob = await key.load()
            algorithm = algorithm_for(blob_type(blob), accepted_algorithms(self._transport))
            reply = await self._exchange.ask_key(algorithm, blob)
            if isinstance(reply, KeyTaken):
                signature = await self._sign(key, self._exchange.to_sign(algorithm, blob), algorithm)
                reply = await self._exchange.show_key(algorithm, blob, signature)
        except KeyUnusable as unusable:
            self._notes.append(str(unusable))
            return before
        self._note(describe(blob, key.source), reply)
        return reply

    async def _sign(self, key: Candidate, data: bytes, algorithm: str) -> bytes:
        with self._prompts.patience.stand_still():
            try:
                async with asyncio.timeout(TOUCHING):
                    return await key.sign(data, algorithm)
            except TimeoutError:
                raise KeyUnusable(f"{key.source}: it did not sign within {TOUCHING:.0f} s") from None

    async def _by_password(self) -> Reply:
        secret = await self._ask("Password", "It is sent to the host once.")
        try:
            with secret.lent() as lent:
                reply = await self._exchange.password(lent)
        finally:
            secret.wipe()
        self._note("a password", reply)
        return reply

    async def _by_questions(self) -> Reply:
        reply = await self._exchange.interactive()
        asked = False
        while isinstance(reply, Asked):
            answers: list[Secret] = []
            purpose = (
                " ".join(filter(None, (reply.title, reply.instructions))) or "The host asks; the answer is sent once."
            )
            try:
                for question in reply.questions:
                    answers.append(await self._ask(question.rstrip(": "), purpose))
                    asked = True
                with ExitStack() as lending:
                    reply = await self._exchange.answer([lending.enter_context(answer.lent()) for answer in answers])
            finally:
                for answer in answers:
                    answer.wipe()
        if asked:
            self._note("an answer to its question", reply)
        return reply

    async def _ask(self, question: str, purpose: str) -> Secret:
        """Raises Gone as soon as there is nobody left to send the answer to."""
        who = f"{self._settings.user} on {where(self._settings)}"
        asking = asyncio.create_task(self._prompts.secret(f"{question} — {who}", purpose))
        ending = asyncio.create_task(self._transport.ended.wait())
        try:
            await asyncio.wait((asking, ending), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Gone
            return asking.result()
        finally:
            ending.cancel()
            if not asking.done():
                asking.cancel()
                await asyncio.wait((asking,))

    def _note(self, what: str, reply: Reply) -> None:
        good = isinstance(reply, LetIn) or (isinstance(reply, Refused) and reply.partial)
        (self._used if good else self._tried).append(what)

    def _refused(self, why: str) -> HostError:
        offered = "; ".join(self._tried) or "nothing: there was no key to offer"
        taken = f" It took {' and '.join(self._used)}, which is not enough." if self._used else ""
        notes = f" Not offered: {'; '.join(self._notes)}." if self._notes else ""
        return not_let_in(self._settings, f"{why}.{taken} Offered: {offered}.{notes}")
