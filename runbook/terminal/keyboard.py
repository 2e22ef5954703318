"""Lines typed at a plain terminal, read without ever blocking the event loop and, for a secret, without echo."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import termios
from collections.abc import Callable, Iterator

from runbook.errors import EnvironmentLacks, OperatorStopped
from runbook.readiness import ready
from runbook.secrets import Secret
from runbook.terminal.letters import ASK_FOR_MARKS, NO_MORE_MARKS, Letters
from runbook.wiping import wipe

_LONGEST = 4096
"""Bytes of a line in the terminal's own line editing (termios(3), canonical mode)."""

_PASTE_ENDS = 0.2
"""Seconds in which the rest of what is pasted arrives."""


class Keyboard:
    """A terminal's input. One prompt at a time; leaving it in any way gives the terminal back as it was."""

    def __init__(self, fd: int = 0) -> None:
        if not os.isatty(fd):
            raise EnvironmentLacks(
                "there is no terminal to ask at",
                remedy="Start it at a terminal, or with --headless and --answers FILE.",
            )
        self.fd = fd
        self._turn = asyncio.Lock()

    @property
    def typed_ahead(self) -> bool:
        """Whether a line was typed that nobody has asked for; the next prompt drops it."""
        return bool(select.select([self.fd], [], [], 0)[0])

    async def line(self, show_prompt: Callable[[], None]) -> str:
        """The line typed after the prompt was shown; raises OperatorStopped at the end of input."""
        typed = await self._read(show_prompt, echo=True)
        return bytes(typed).decode(errors="replace")

    async def secret(self, show_prompt: Callable[[], None]) -> Secret:
        """The same without echo, in one buffer that is wiped; may be empty."""
        typed = await self._read(show_prompt, echo=False)
        secret = Secret(typed)
        wipe(typed)
        return secret

    async def letters(self, show_prompt: Callable[[], None], echo: Callable[[str], None]) -> str | None:
        """The line typed key by key, each shown with `echo`; None where it was pasted. Raises OperatorStopped."""
        async with self._turn:
            with self._modes(echo=False, lines=False):
                line = Letters()
                marks = os.environ.get("TERM", "") not in ("", "dumb")
                echo(ASK_FOR_MARKS if marks else "")
                show_prompt()
                try:
                    while not (line.done or line.pasted):
                        echo(line.feed(await self._some()))
                        if line.ended:
                            raise OperatorStopped("the input ended")
                    if line.pasted:
                        await asyncio.sleep(_PASTE_ENDS)  # its rest goes with what the next prompt drops
                finally:
                    echo(NO_MORE_MARKS if marks else "")
        return None if line.pasted else line.text

    async def _some(self) -> bytes:
        """What the terminal has to give; raises OperatorStopped where it has gone away."""
        await self._readable()
        try:
            chunk = os.read(self.fd, _LONGEST)
        except OSError:
            chunk = b""
        if not chunk:
            raise OperatorStopped("the input ended")
        return chunk

    async def _read(self, show_prompt: Callable[[], None], *, echo: bool) -> bytearray:
        async with self._turn:
            with self._modes(echo=echo):
                show_prompt()
                return await self._whole_line()

    async def _whole_line(self) -> bytearray:
        line = bytearray()
        while not line.endswith(b"\n"):
            await self._readable()
            chunk = bytearray(_LONGEST)
            try:
                count = os.readv(self.fd, [chunk])
            except OSError:  # EIO: the terminal has gone away
                count = 0
            if not count:
                wipe(line)
                raise OperatorStopped("the input ended")
            with memoryview(chunk) as read:  # a slice of the buffer itself would be a copy
                line += read[:count]
            wipe(chunk)
        del line[-1:]
        return line

    async def _readable(self) -> None:
        """Until a whole line, or the end, can be read without waiting."""
        await ready(self.fd)

    @contextlib.contextmanager
    def _modes(self, *, echo: bool, lines: bool = True) -> Iterator[None]:
        """Line editing and echo as wanted; what was typed before the prompt cannot answer it."""
        before = termios.tcgetattr(self.fd)
        during = termios.tcgetattr(self.fd)
        during[3] |= termios.ICANON | termios.ISIG | termios.ECHONL
        if not lines:
            during[3] &= ~(termios.ICANON | termios.ECHONL)
            during[6][termios.VMIN], during[6][termios.VTIME] = 1, 0
        during[3] = during[3] | termios.ECHO if echo else during[3] & ~termios.ECHO
        try:
            # TCSANOW with a flush of its own: TCSAFLUSH would wait for a terminal stopped with ctrl-s.
            termios.tcsetattr(self.fd, termios.TCSANOW, during)
            termios.tcflush(self.fd, termios.TCIFLUSH)
            yield
        finally:
            with contextlib.suppress(termios.error):  # the terminal may have gone away
                termios.tcsetattr(self.fd, termios.TCSANOW, before)
