"""Becoming root on a machine by sudo(8): its password typed for one use and sent once, and why sudo refuses.

`sudo -k -S -p PROMPT`: what sudo has cached is not used and nothing is cached; the password goes through standard
input, only before our shell has said its mark, and only once the prompt with the nonce has come. What a command
prints later is never taken for a prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field

from checks.hosts.channel import Channel, Ended
from checks.hosts.errors import FarSideLacks, HostError, LineLost, SudoRefused, SudoSilent, SudoWrongPassword
from runbook.operator import Operator, SecretRequest
from runbook.secrets import Redactor, Secret
from runbook.site import HostProfile
from runbook.text import clean_line
from runbook.wiping import wipe

_PROMPT = re.compile(r"\[[0-9a-f]{24}\] ")

ANSWER = 30.0
"""Seconds that sudo may take to say something, and to act on the password; PAM's delay after a wrong one is 2."""


@dataclass(frozen=True, slots=True)
class SudoPassword(SecretRequest):
    """Ask for what sudo wants on a host; on a group it is asked for once."""

    host: str = ""
    kept: bool = False
    """The site profile lets it be kept until the stage ends."""


class SudoPasswords:
    """The passwords that the site lets us keep until the stage ends, by the host's name."""

    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    def get(self, host: str) -> Secret | None:
        return self._kept.get(host)

    def keep(self, host: str, password: Secret) -> None:
        self._kept[host] = password

    def forget(self, host: str) -> None:
        kept = self._kept.pop(host, None)
        if kept is not None:
            kept.wipe()

    def wipe(self) -> None:
        """Forget all of them: a stage has ended, or the run."""
        for host in list(self._kept):
            self.forget(host)

    def asking(self, host: str) -> asyncio.Lock:
        """Held while somebody is asked, so that two steps at once do not ask for the same password."""
        return self._asking.setdefault(host, asyncio.Lock())


def refuse_never(host: str, profile: HostProfile, where: str) -> None:
    """Raises SudoRefused where the site profile says `sudo: never`."""
    if profile.sudo == "never":
        raise SudoRefused(
            "the site profile does not let root be become here",
            where=where,
            remedy=f"If that is meant otherwise, set `sudo` of the host `{host}` there.",
        )


@dataclass(slots=True)
class Sudo:
    """One call of sudo, from its start until it runs our shell."""

    host: str
    where: str
    profile: HostProfile
    operator: Operator
    redactor: Redactor
    passwords: SudoPasswords
    purpose: str
    _prompts: int = 0
    _sent: bool = field(default=False)

    @property
    def options(self) -> str:
        """For the command line. `-n`: a site whose sudo needs no password is never asked for one."""
        return "-k -n" if self.profile.sudo == "free" else "-k -S"

    async def said(self, said: bytes, prompt: bytes, channel: Channel, clock: asyncio.Timeout) -> None:
        """Look at all that sudo has said so far; answer its first prompt. Raises SudoWrongPassword at the second."""
        prompts = said.count(prompt)
        if prompts <= self._prompts:
            return
        self._prompts = prompts
        if self._sent:
            raise self._wrong()
        clock.reschedule(None)  # people have all the time they need
        async with self.passwords.asking(self.host):
            kept = self.passwords.get(self.host)
            password = kept or await self._ask()
            if kept is None and self.profile.keep_sudo_password:
                self.passwords.keep(self.host, password)
        try:
            self._sent = True
            # In its final size at once: a buffer that grows leaves its old place as it was.
            line = bytearray(len(password) + 1)
            if password:
                with memoryview(line) as room:  # a slice of the buffer itself would be filled by way of a copy
                    room[:-1] = password.reveal()
            line[-1:] = b"\n"
            # A sudo that did not wait has left; why, it says itself.
            with contextlib.suppress(LineLost):
                await channel.write(line)
            wipe(line)
        finally:
            if self.passwords.get(self.host) is password:
                password.rest()
            else:
                password.wipe()
        clock.reschedule(asyncio.get_running_loop().time() + ANSWER)

    async def _ask(self) -> Secret:
        password = await self.operator.secret(
            SudoPassword(
                f"Password for sudo on {clean_line(self.where)}",
                purpose=self.purpose,
                host=self.host,
                kept=self.profile.keep_sudo_password,
            )
        )
        self.redactor.learn(password)
        return password

    def silent(self, said: bytes) -> HostError:
        """Nothing came in time: neither the prompt nor the command."""
        return SudoSilent(
            f"sudo did not {'act on the password' if self._sent else 'ask or run the command'} in time"
            + self._quoted(said),
            where=self.where,
            remedy="Look at sudo there by hand: its PAM modules, the network they ask, the host's name.",
        )

    def ended(self, said: bytes, ended: Ended) -> HostError:
        """It ended without running our shell; `said` is its standard error, in English (LC_ALL=C)."""
        text = said.decode("utf-8", errors="replace")
        quoted = self._quoted(said)
        if "incorrect password attempt" in text or (self._sent and "Sorry, try again" in text):
            return self._wrong()
        if ended.exit_code in (126, 127) and not self._prompts:
            return FarSideLacks(f"sudo cannot be run{quoted}", where=self.where, remedy="Install sudo there.")
        if "you must have a tty" in text:
            return SudoRefused(
                "sudo there wants a terminal, which a program does not have",
                where=self.where,
                remedy="Let the account do without: `Defaults:ACCOUNT !requiretty` (sudoers(5)).",
            )
        if "timed out reading password" in text:
            return SudoSilent(
                "sudo did not wait until the password was typed",
                where=self.where,
                remedy="Try again; its patience is `passwd_timeout` (sudoers(5)).",
            )
        if "password is required" in text:
            return SudoRefused(
                "sudo asks for a password here, and the site profile says that it does not",
                where=self.where,
                remedy=f"Set `sudo: password` for the host `{self.host}`, or give the account NOPASSWD there.",
            )
        if any(sign in text for sign in ("not in the sudoers file", "is not allowed to", "may not run sudo")):
            return SudoRefused(
                f"sudo does not let the account run commands as root{quoted}",
                where=self.where,
                remedy="The account needs a rule that allows /bin/sh, or use another account.",
            )
        return SudoRefused(f"sudo ended without running the command{quoted}", where=self.where)

    def _wrong(self) -> HostError:
        self.passwords.forget(self.host)
        return SudoWrongPassword(
            "sudo did not accept the password; it was sent once",
            where=self.where,
            remedy="Try the step again, and type it anew.",
        )

    @staticmethod
    def _quoted(said: bytes) -> str:
        """The last line, for people, without our prompt: sudo goes on behind it."""
        text = _PROMPT.sub("", said.decode("utf-8", errors="replace"))
        told = [line for line in (line.strip() for line in text.splitlines()) if line]
        return f": {clean_line(told[-1], 300)}" if told else ""
