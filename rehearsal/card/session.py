"""A powered card: what it remembers until the next reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.card.apdu import SW, Refused
from rehearsal.card.state import CardState, StateFile


def _nothing() -> None:
    pass


def _rightly() -> bool:
    return True


@dataclass
class Session:
    """The card between a reset and the next.

    `verified` is the login; `current` the selected file's identifier; `spent` is called each time a PIN counter has
    been decremented and written, before the PIN is compared. `typed` says whether the PIN typed on the card's own pad
    is the right one.
    """

    file: StateFile
    selected: bool = False
    verified: bool = False
    current: int | None = None
    spent: Callable[[], None] = field(default=_nothing)
    typed: Callable[[], bool] = field(default=_rightly)

    @property
    def state(self) -> CardState:
        return self.file.state

    def reset(self) -> None:
        """Power off, power on or reset: the login and every selection are gone."""
        self.selected = self.verified = False
        self.current = None

    def require_login(self) -> None:
        """Raises Refused unless the user PIN has been verified since the last reset."""
        if not self.verified:
            raise Refused(SW.SECURITY_STATUS_NOT_SATISFIED)
