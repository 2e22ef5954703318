"""How many PIN attempts a token has left: from its flags, and from the exact counter where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from checks.evidence.pin_counter import PinCounter, PinState
from checks.evidence.slots import TokenInfo
from checks.hsm import sc_hsm
from checks.hsm.cryptoki_names import pin_flags
from checks.hsm.token import Token

_LOCKED: Final = "CKF_USER_PIN_LOCKED"
_FINAL: Final = "CKF_USER_PIN_FINAL_TRY"
_LOW: Final = "CKF_USER_PIN_COUNT_LOW"


@dataclass(frozen=True, slots=True)
class Reading:
    """The counter, with the token as it was at that moment."""

    token: TokenInfo
    counter: PinCounter
    counters: sc_hsm.Counters
    """The exact counters and what the card allows, where it says."""


async def read_counter(token: Token) -> Reading:
    """Flags and exact counter, read afresh; uses no attempt. Raises what `Token.info` raises."""
    slot = await token.select()
    info = slot.token or await token.info()
    if token.logged_in:
        counters = sc_hsm.unknown("not read while a login holds: sc-hsm-tool selects the card's applet, which ends it")
    else:
        counters = await sc_hsm.counters(slot, token.place, deadline=token.deadline)
    flags = pin_flags(info.flags)
    return Reading(
        info,
        PinCounter(
            token=info.name,
            state=state_of(flags, counters.user_tries),
            flags=flags,
            tries_left=counters.user_tries,
            tries_max=_tries_max(flags, counters.user_tries),
            so_tries_left=counters.so_tries,
            source=counters.source,
        ),
        counters,
    )


def state_of(flags: tuple[str, ...], tries: int | None) -> PinState:
    """The worse of what the flags and the number say; without a number, quiet flags prove nothing."""
    if _LOCKED in flags or tries == 0:
        return "locked"
    if _FINAL in flags or tries == 1:
        return "final try"
    if _LOW in flags or (tries is not None and tries < sc_hsm.USER_TRIES):
        return "low"
    return "unknown" if tries is None else "full"


def _tries_max(flags: tuple[str, ...], tries: int | None) -> int | None:
    """The full counter: the usual one, or the number itself where the flags say that nothing is missing."""
    if tries is None:
        return None
    if tries < sc_hsm.USER_TRIES:
        return sc_hsm.USER_TRIES
    return None if {_LOW, _FINAL, _LOCKED} & set(flags) else tries


def words(counter: PinCounter) -> str:
    """For example `3 of 3 left` or `unknown (the token only says: low)`."""
    if counter.tries_left is not None:
        return f"{counter.tries_left} of {counter.tries_max or '?'} left"
    return "unknown" if counter.state == "unknown" else f"unknown (the token says: {counter.state})"
