"""PINs and their counters, as the card keeps them."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from rehearsal.card.apdu import SW, Refused, tries_left
from rehearsal.card.state import CardState, PinState

USER_PIN = 0x81
SO_PIN = 0x88
USER_PIN_LENGTH = range(6, 16)
SO_PIN_LENGTH = 8
USER_PIN_TRIES = 3
SO_PIN_TRIES = 15

Which = Literal["user_pin", "so_pin"]
_NAMES: dict[int, Which] = {USER_PIN: "user_pin", SO_PIN: "so_pin"}


def named(reference: int) -> Which:
    """Which PIN a P2 means; raises Refused."""
    try:
        return _NAMES[reference]
    except KeyError:
        raise Refused(SW.REFERENCE_NOT_FOUND) from None


def make(pin: bytes, limit: int, *, checks: int = 0) -> PinState:
    """A fresh PIN with all its tries."""
    salt = os.urandom(16)
    return PinState(salt, _digest(pin, salt), limit, limit, checks)


def replaced(old: PinState, pin: bytes) -> PinState:
    """The same PIN object with a new value and all its tries."""
    return make(pin, old.limit, checks=old.checks)


def check(
    state: CardState, which: Which, candidates: Iterable[bytes], save: Callable[[], None], spent: Callable[[], None]
) -> bytes:
    """Spend one try and compare: the candidate that is the PIN. Raises Refused with the tries left.

    The counter is decremented and on disk before anything is compared, as on the real card: losing power in the
    middle costs the try. `spent` is called at exactly that point. One call is one try, however many candidates
    there are (they are the ways to split a command's data into two PINs).
    """
    pin = _spend(state, which, save, spent)
    # Every candidate is tried, so that the time says nothing of the length.
    right = [value for value in candidates if hmac.compare_digest(_digest(value, pin.salt), pin.digest)]
    if not right:
        raise Refused(tries_left(pin.tries))
    _restore(state, which, save)
    return right[0]


def check_at_pad(
    state: CardState, save: Callable[[], None], spent: Callable[[], None], typed: Callable[[], bool]
) -> None:
    """As `check`, for a user PIN that was typed on the card's own pad; `typed` says whether it was the right one."""
    pin = _spend(state, "user_pin", save, spent)
    if not typed():
        raise Refused(tries_left(pin.tries))
    _restore(state, "user_pin", save)


def status(state: CardState, which: Which) -> int:
    """The status word that tells the tries left; raises Refused when there is no such PIN."""
    return tries_left(_get(state, which).tries)


def _spend(state: CardState, which: Which, save: Callable[[], None], spent: Callable[[], None]) -> PinState:
    pin = _get(state, which)
    if not pin.tries:
        raise Refused(SW.AUTHENTICATION_METHOD_BLOCKED)
    pin = msgspec.structs.replace(pin, tries=pin.tries - 1, checks=pin.checks + 1)
    setattr(state, which, pin)
    save()
    spent()
    return pin


def _restore(state: CardState, which: Which, save: Callable[[], None]) -> None:
    pin = _get(state, which)
    setattr(state, which, msgspec.structs.replace(pin, tries=pin.limit))
    save()


def _get(state: CardState, which: Which) -> PinState:
    pin = state.user_pin if which == "user_pin" else state.so_pin
    if pin is None:
        raise Refused(SW.REFERENCE_NOT_FOUND)
    return pin


def _digest(pin: bytes, salt: bytes) -> bytes:
    # Quick on purpose: a rehearsal card guards nothing, and it shall answer as fast as a real one.
    return hashlib.scrypt(pin, salt=salt, n=2**10, r=8, p=1)
