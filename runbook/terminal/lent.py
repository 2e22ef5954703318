"""A terminal that is lent to a command: whatever that does to it, it comes back as it was."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import termios
from collections.abc import Iterator

from runbook.errors import EnvironmentLacks

RESETS = (
    b"\x1b[?2026l\x1b[<u\x1b[>4m"  # synchronised painting, the keyboard protocols of kitty and xterm
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse and focus
    b"\x1b[?2004l\x1b[?2048l"  # marks around what is pasted, reports of the size
    b"\x0f\x1b(B\x1b)B"  # the character sets
    b"\x1b[4l\x1b[?6l\x1b[?7h\x1b[?5l\x1b[?1l\x1b>"  # inserting, origin, wrapping, inverse, cursor keys and keypad
    # DECRC follows both: leaving the alternate screen takes up a position that may be long past, and a scroll region
    # that ends moves the cursor to the top. What is saved here is saved for the screen that is shown.
    b"\x1b7\x1b[?1049l\x1b7\x1b[r\x1b8"
    b"\x1b[?25h\x1b[0 q\x1b[0m"  # the cursor, its shape, and the colours
)
"""What takes back every mode that programs set and forget (ECMA-48, xterm's control sequences)."""


@contextlib.contextmanager
def lent(fd: int) -> Iterator[None]:
    """The terminal's modes and foreground group, and the flags of its descriptor, as they were before.

    What was typed meanwhile and nobody read is dropped, for here a letter may be a command. Where TERM says that the
    terminal draws, `RESETS` is written to it. Raises EnvironmentLacks where it has gone away before.
    """
    try:
        modes = termios.tcgetattr(fd)
    except termios.error as error:
        raise EnvironmentLacks("the terminal has gone away") from error
    flags = {number: fcntl.fcntl(number, fcntl.F_GETFL) for number in {fd, 0, 1, 2} if _is_open(number)}
    # A background process that takes the terminal back would be stopped by this signal (tcsetpgrp(3)).
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, kept in flags.items():
            with contextlib.suppress(OSError):
                fcntl.fcntl(number, fcntl.F_SETFL, kept)  # O_NONBLOCK is shared by all who have it open
        with contextlib.suppress(OSError, termios.error):  # the terminal may have gone away
            take(fd, os.getpgrp())
            termios.tcflow(fd, termios.TCOON)  # it may have been stopped with ctrl-s
            termios.tcsetattr(fd, termios.TCSANOW, modes)
            if draws():
                os.write(fd, RESETS)
            termios.tcflush(fd, termios.TCIFLUSH)
        signal.signal(signal.SIGTTOU, before)


def take(fd: int, group: int) -> None:
    """Put the process group in the foreground, where the terminal is the one that controls us."""
    with contextlib.suppress(OSError):
        os.tcsetpgrp(fd, group)


def draws() -> bool:
    """Whether the terminal understands control sequences, as far as TERM tells."""
    return os.environ.get("TERM", "") not in ("", "dumb")


def _is_open(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
