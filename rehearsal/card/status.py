"""What the running card tells over its control socket."""

from __future__ import annotations

import msgspec


class CardStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card as it is now; `connected`: a reader holds it.

    `user_checks` and `so_checks` count how often a PIN was compared in the card's life; tries are None while there is
    no such PIN. `apdus` counts the commands since the program started, and `power_ups` how often the reader powered
    or reset the card (pcscd powers a card down soon when nobody uses it). `log` has the last commands by name with
    P1, P2, a + for data and the answer's last two bytes, never any data.
    """

    serial: str
    label: str | None
    inserted: bool
    connected: bool
    power_ups: int
    verified: bool
    apdus: int
    user_tries: int | None
    user_checks: int
    so_tries: int | None
    so_checks: int
    log: list[str]
