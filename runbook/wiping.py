"""Bytes of a secret overwritten where they are."""

from __future__ import annotations


def wipe(buffer: bytearray) -> None:
    """Overwrite it with zeros, keeping the length."""
    buffer[:] = bytes(len(buffer))
