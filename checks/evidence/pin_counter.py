"""How many PIN attempts a token has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runbook.outcome import Evidence, ForeignLine

PinState = Literal["full", "low", "final try", "locked", "unknown"]


class PinCounter(Evidence):
    """The user PIN counter from the token's flags and, where it can be had, the exact number."""

    kind: ClassVar[str] = "pin_counter"
    token: ForeignLine
    state: PinState
    flags: tuple[ForeignLine, ...]
    """PIN flags by name, for example `CKF_USER_PIN_FINAL_TRY`."""
    tries_left: int | None = None
    """Exact; None: unknown."""
    tries_max: int | None = None
    so_tries_left: int | None = None
    source: ForeignLine
    """Where the number comes from, or why there is none."""

    def plain(self) -> Iterator[str]:
        number = "unknown" if self.tries_left is None else f"{self.tries_left} of {self.tries_max or '?'}"
        yield f"token {self.token}"
        yield f"user PIN tries left: {number} ({self.state})"
        if self.so_tries_left is not None:
            yield f"SO-PIN tries left: {self.so_tries_left}"
        yield f"flags: {' '.join(self.flags) or 'none about the PIN'}"
        yield f"source: {self.source}"
