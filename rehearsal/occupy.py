"""`python -m rehearsal.occupy PARENT`: holds the first card in exclusive mode, as another program would.

A PC/SC client like any other (SCardConnect with SCARD_SHARE_EXCLUSIVE, PC/SC part 5). Writes a line once it holds the
card, and holds it until it is ended; it dies with PARENT.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

_SCOPE_SYSTEM = 2
_SHARE_EXCLUSIVE = 1
_PROTOCOL_ANY = 3
_READERS_LENGTH = 4096


class NotHeld(Exception):
    """A PC/SC function did not return SCARD_S_SUCCESS."""


def main(parent: int) -> None:
    """Hold it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    hold_first_card()
    sys.stdout.write("held\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def hold_first_card() -> None:
    """Connect to the card in the first reader, for this process alone, as long as it lives. Raises NotHeld."""
    library = ctypes.CDLL("libpcsclite.so.1")
    context, card, protocol = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
    readers, length = ctypes.create_string_buffer(_READERS_LENGTH), ctypes.c_ulong(_READERS_LENGTH)
    _ok(
        "SCardEstablishContext",
        library.SCardEstablishContext(ctypes.c_ulong(_SCOPE_SYSTEM), None, None, ctypes.byref(context)),
    )
    _ok("SCardListReaders", library.SCardListReaders(context, None, readers, ctypes.byref(length)))
    # A list of names, each ended by a zero byte; `value` is the first.
    share, protocols = ctypes.c_ulong(_SHARE_EXCLUSIVE), ctypes.c_ulong(_PROTOCOL_ANY)
    connected = library.SCardConnect(
        context, readers.value, share, protocols, ctypes.byref(card), ctypes.byref(protocol)
    )
    _ok("SCardConnect", connected)


def _ok(function: str, result: int) -> None:
    if result:
        raise NotHeld(f"{function} returned 0x{result & 0xFFFFFFFF:08x}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
