"""What every way to a machine gives: a connection, and on it channels with the three streams of one command each.

Three things stand behind it: paramiko, the system's `ssh`, and a process on this machine. What is said through a
channel (supervision, sudo, deadlines: `machine`) is written once, above them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ended:
    """How a channel's command ended (RFC 4254 §6.10)."""

    exit_code: int | None
    """None: ended by a signal, or not told."""
    signal: str = ""
    """The signal's name with `SIG`, as `SIGTERM`; empty otherwise."""

    @property
    def how(self) -> str:
        """In words."""
        return self.signal or f"exit code {self.exit_code}"


class Channel(Protocol):
    """One command's streams. Reading is what makes room: a reader that stops, stops the sender (back pressure)."""

    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    async def write(self, data: bytes | bytearray) -> None:
        """To the command's standard input, waiting while it takes nothing. Raises LineLost.

        A bytearray is taken for a secret: its owner wipes it, and no copy is left here.
        """
        ...

    async def write_eof(self) -> None: ...

    async def wait(self) -> Ended:
        """Until the command has ended. Raises LineLost when the line broke before that was told."""
        ...

    async def close(self) -> None:
        """Let go of the command. Does not raise, and comes back within a bound."""
        ...


class Connection(Protocol):
    """One authenticated connection to a machine; any number of channels at a time."""

    @property
    def shown(self) -> tuple[str, ...]:
        """How the machine was reached, as lines for people: address, account, transport, the host's key and why it
        is believed, the key or certificate that let us in.
        """
        ...

    @property
    def alive(self) -> bool: ...

    async def open(self, command: str) -> Channel:
        """Run `command`, which the account's login shell over there reads (RFC 4254 §6.5); no terminal, no agent.

        Raises LineLost and ChannelRefused.
        """
        ...

    async def close(self) -> None:
        """Does not raise, and comes back within a bound."""
        ...
