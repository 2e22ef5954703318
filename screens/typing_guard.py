"""What is typed for one thing never reaches another that comes up in between."""

from __future__ import annotations

from time import monotonic

PAUSE = 0.7
"""Seconds without a key after which a person is taken to have seen what has come up."""


class TypingGuard:
    """Knows whether somebody is in the middle of typing, and which keys are the rest of it.

    A note, a search or a command is being typed, and a prompt for a PIN comes up: the rest of the line, with its Enter,
    would be a PIN that nobody meant to send.
    """

    def __init__(self) -> None:
        self._last = float("-inf")
        self._deaf = False
        self._told = False

    def interrupted(self) -> None:
        """Something comes up over a line that is typed in."""
        self._deaf = monotonic() - self._last < PAUSE
        self._told = False

    def overtaken(self) -> None:
        """A key was on its way when something came up that it was not meant for."""
        if self.over:
            self._deaf, self._told = True, False

    def stray(self) -> bool:
        """A key was pressed: whether it is still part of what was typed before."""
        now, before = monotonic(), self._last
        self._last = now
        self._deaf = self._deaf and now - before < PAUSE
        return self._deaf

    def to_tell(self) -> bool:
        """Whether nobody was told yet that keys are dropped; asked once for each time."""
        told, self._told = self._told, True
        return not told

    @property
    def over(self) -> bool:
        """Whether the next key counts again."""
        return not self._deaf or monotonic() - self._last >= PAUSE
