"""What PC/SC says of its readers, without touching a card: `python -I -m checks.hsm.pcsc` prints it as JSON.

In a process of its own, as all foreign code is; it connects to no card, so it disturbs no login (PC/SC part 5,
SCardGetStatusChange).
"""

from __future__ import annotations

import ctypes as c
import os
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

_SCOPE_SYSTEM: Final = 2
_NAME_ROOM: Final = 4096
_ATR_ROOM: Final = 33

_SUCCESS: Final = 0
_NO_READERS: Final = 0x8010002E
_REFUSED: Final = (0x8010006A, 0x80100027)
"""SCARD_W_SECURITY_VIOLATION (polkit said no) and SCARD_E_NO_ACCESS."""

_PRESENT: Final = 0x20
_EXCLUSIVE: Final = 0x80
_IN_USE: Final = 0x100


class Reader(msgspec.Struct, frozen=True):
    """A reader; `exclusive` and `in_use` are about its card and some program, perhaps this one."""

    name: str
    present: bool
    exclusive: bool
    in_use: bool


class Service(msgspec.Struct, frozen=True):
    """What the PC/SC service (pcscd) says; `state` is `running`, `missing` or `refused`."""

    state: str
    readers: tuple[Reader, ...] = ()


class _ReaderState(c.Structure):
    """SCARD_READERSTATE as pcsclite lays it out."""

    _fields_ = (
        ("reader", c.c_char_p),
        ("user_data", c.c_void_p),
        ("current", c.c_ulong),
        ("event", c.c_ulong),
        ("atr_length", c.c_ulong),
        ("atr", c.c_ubyte * _ATR_ROOM),
    )


async def ask(env: Mapping[str, str], *, deadline: float) -> Service | None:
    """Ask in a child process, in a module's environment; None where no answer comes in time."""
    from checks.files.process import run
    from runbook.errors import StepError

    base = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    try:
        done = await run([sys.executable, "-I", "-m", __name__], deadline=deadline, env={**base, **env})
        return msgspec.json.decode(done.stdout.text, type=Service)
    except (StepError, msgspec.DecodeError):
        return None


def look() -> Service:
    """Ask the library itself; may hang. Raises OSError where there is no library."""
    library = c.CDLL("libpcsclite.so.1")
    context = c.c_long()
    code = library.SCardEstablishContext(c.c_ulong(_SCOPE_SYSTEM), None, None, c.byref(context)) & 0xFFFFFFFF
    if code != _SUCCESS:
        return Service("refused" if code in _REFUSED else "missing")
    names, size = c.create_string_buffer(_NAME_ROOM), c.c_ulong(_NAME_ROOM)
    code = library.SCardListReaders(context, None, names, c.byref(size)) & 0xFFFFFFFF
    if code != _SUCCESS:
        return Service("running" if code == _NO_READERS else "refused" if code in _REFUSED else "missing")
    readers = [name for name in names.raw[: size.value].split(b"\0") if name]
    return Service("running", tuple(_state(library, context, name) for name in readers))


def _state(library: c.CDLL, context: c.c_long, name: bytes) -> Reader:
    state = _ReaderState(reader=name)
    library.SCardGetStatusChange(context, c.c_ulong(0), c.byref(state), c.c_ulong(1))
    bits = state.event
    return Reader(name.decode(errors="replace"), bool(bits & _PRESENT), bool(bits & _EXCLUSIVE), bool(bits & _IN_USE))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(look()))
    sys.stdout.flush()
    os._exit(0)
