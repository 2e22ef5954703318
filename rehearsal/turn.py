"""One reader at a time for the card of a lab."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from rehearsal.card.errors import ReaderUnavailable
from rehearsal.smartcard import CardPlaces

_DEADLINE = 15.0
"""Seconds for the reader of a program that was killed to end; it takes a tenth of one."""

_POLL = 0.05
_STANDING = b"standing\n"


class Turn:
    """A lock that goes with the process that has it."""

    def __init__(self, places: CardPlaces, fd: int) -> None:
        self._places = places
        self._fd = fd

    async def taken(self, *, standing: bool) -> bool:
        """Wait for the lock; false where a standing reader has it, that others may use.

        `standing`: ours is to be one, and then no other may be there. Raises ReaderUnavailable.
        """
        end = asyncio.get_running_loop().time() + _DEADLINE
        while not self._try():
            if os.pread(self._fd, len(_STANDING), 0) == _STANDING and not standing:
                return False
            if asyncio.get_running_loop().time() > end:
                raise ReaderUnavailable(
                    "the lab's card is in the reader of another program",
                    where=str(self._places.lab),
                    remedy="End that program first; a card is in one reader at a time.",
                )
            await asyncio.sleep(_POLL)
        os.ftruncate(self._fd, 0)
        if standing:
            os.pwrite(self._fd, _STANDING, 0)
        return True

    def _try(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def alone(places: CardPlaces) -> Iterator[Turn]:
    """Inside, the turn can be taken; afterwards it is free."""
    fd = os.open(places.turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield Turn(places, fd)
    finally:
        os.close(fd)
