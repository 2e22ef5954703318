"""Bytes of a secret overwritten where they are."""

from __future__ import annotations

_HEAD = bytes.__basicsize__ - 1
"""Bytes of an object of CPython before its value; behind the value stands one more zero."""


def wipe(buffer: bytearray) -> None:
    """Overwrite it with zeros, keeping the length."""
    buffer[:] = bytes(len(buffer))


def wipe_lent(value: bytes) -> None:
    """The same for bytes, which nothing else may use any more.

    Bytes are not made to be changed. Those of a secret that a library wanted are ours alone, and otherwise they would
    stay in freed memory until something happens to be put there. One byte is left: Python keeps each of them once.
    """
    if len(value) > 1:
        import ctypes

        ctypes.memset(id(value) + _HEAD, 0, len(value))
