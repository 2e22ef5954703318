"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (ISO 7816-4 §7.5.6, §7.5.7, §7.5.10)."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.card import pin
from rehearsal.card.apdu import SW, Command, Refused, Response
from rehearsal.card.session import Session
from rehearsal.card.state import PinState

RESET_WITH_SO_PIN = 0x01
"""The initialisation option that lets the SO-PIN give the user PIN its tries back."""
PAD = 0x85
"""The reference of a sensor on the card; a card that knows it takes the user PIN from there (ISO 7816-11)."""


def verify(card: Session, command: Command) -> Response:
    """VERIFY: without data the counter is told, with data one try is spent. A login ends at any failure."""
    if command.p2 == PAD and card.state.pin_pad:
        return Response(status=pin.status(card.state, "user_pin"))
    which = pin.named(command.p2)
    if command.p1:
        raise Refused(SW.WRONG_P1_P2)
    if which == "user_pin" and card.state.pin_pad and not command.data and command.expected:
        return _verify_at_pad(card)
    if not command.data:
        if which == "user_pin" and card.verified:
            return Response()
        if which == "user_pin" and card.state.public_key_authentication:
            raise Refused(SW.NOTHING_CHANGED)
        return Response(status=pin.status(card.state, which))
    _require_length(which, len(command.data))
    if which == "user_pin":
        card.verified = False
    _check(card, which, [command.data])
    if which == "user_pin":
        card.verified = True
    return Response()


def change_reference_data(card: Session, command: Command) -> Response:
    """CHANGE REFERENCE DATA: the old PIN and the new one, with nothing between them."""
    which = pin.named(command.p2)
    if command.p1:
        raise Refused(SW.WRONG_P1_P2)
    old = _check(card, which, _first_parts(which, command.data))
    _set(card, which, command.data[len(old) :])
    card.verified = which == "user_pin"
    return Response()


def reset_retry_counter(card: Session, command: Command) -> Response:
    """RESET RETRY COUNTER: the SO-PIN, and (P1 = 0) a new user PIN after it."""
    if command.p2 != pin.USER_PIN or command.p1 > 1:
        raise Refused(SW.WRONG_P1_P2)
    if not card.state.options[1] & RESET_WITH_SO_PIN:
        raise Refused(SW.CONDITIONS_NOT_SATISFIED)
    so_pin, new = command.data[: pin.SO_PIN_LENGTH], command.data[pin.SO_PIN_LENGTH :]
    if len(so_pin) != pin.SO_PIN_LENGTH or (len(new) not in pin.USER_PIN_LENGTH if command.p1 == 0 else new):
        raise Refused(SW.WRONG_LENGTH)
    card.verified = False
    _check(card, "so_pin", [so_pin])
    user_pin = card.state.user_pin
    if user_pin is None:
        raise Refused(SW.REFERENCE_NOT_FOUND)
    if new:
        _set(card, "user_pin", new)
    else:
        card.state.user_pin = PinState(user_pin.salt, user_pin.digest, user_pin.limit, user_pin.limit, user_pin.checks)
        card.file.save()
    return Response()


def _verify_at_pad(card: Session) -> Response:
    card.verified = False
    pin.check_at_pad(card.state, card.file.save, card.spent, card.typed)
    card.verified = True
    return Response()


def _check(card: Session, which: pin.Which, candidates: Iterable[bytes]) -> bytes:
    return pin.check(card.state, which, candidates, card.file.save, card.spent)


def _set(card: Session, which: pin.Which, value: bytes) -> None:
    old = card.state.user_pin if which == "user_pin" else card.state.so_pin
    if old is None:
        raise Refused(SW.REFERENCE_NOT_FOUND)
    setattr(card.state, which, pin.replaced(old, value))
    card.file.save()


def _first_parts(which: pin.Which, data: bytes) -> list[bytes]:
    # The card knows how long the old PIN is; this one does not keep the length, and tries each possible split.
    lengths = pin.USER_PIN_LENGTH if which == "user_pin" else range(pin.SO_PIN_LENGTH, pin.SO_PIN_LENGTH + 1)
    parts = [data[:length] for length in lengths if len(data) - length in lengths]
    if not parts:
        raise Refused(SW.WRONG_LENGTH)
    return parts


def _require_length(which: pin.Which, length: int) -> None:
    if length not in pin.USER_PIN_LENGTH if which == "user_pin" else length != pin.SO_PIN_LENGTH:
        raise Refused(SW.WRONG_LENGTH)
