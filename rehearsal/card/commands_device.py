"""INITIALIZE DEVICE, IMPORT DKEK SHARE and MANAGE PUBLIC KEY AUTHENTICATION (SmartCard-HSM user manual)."""

from __future__ import annotations

import hashlib

import msgspec

from rehearsal.card import files, pin, tlv
from rehearsal.card.apdu import SW, Command, Refused, Response
from rehearsal.card.session import Session
from rehearsal.card.state import KeyEncryptionKey, PublicKeyAuthentication

_OPTIONS = 0x80
_USER_PIN = 0x81
_SO_PIN = 0x82
_TRIES = 0x91
_SHARES = 0x92
_PUBLIC_KEYS = 0x93

_SHARE_LENGTH = 32
_CHECK_VALUE_LENGTH = 8
_MOST_TRIES = 10


def initialize_device(card: Session, command: Command) -> Response:
    """INITIALIZE DEVICE: everything but the device's own key and certificate is wiped and the PINs are set.

    On a card that was initialised before, the initialisation code must be the SO-PIN, and a wrong one costs a try.
    """
    try:
        items = {item.tag: item.value for item in tlv.parse(command.data)}
    except tlv.MalformedTlv as error:
        raise Refused(SW.WRONG_DATA) from error
    options, code = items.get(_OPTIONS, b""), items.get(_SO_PIN, b"")
    user_pin, tries = items.get(_USER_PIN), items.get(_TRIES, bytes([pin.USER_PIN_TRIES]))
    if len(options) != 2 or len(code) != pin.SO_PIN_LENGTH or (user_pin and len(user_pin) not in pin.USER_PIN_LENGTH):
        raise Refused(SW.WRONG_DATA)
    if len(tries) != 1 or not 1 <= tries[0] <= _MOST_TRIES:
        raise Refused(SW.WRONG_DATA)
    state, old_user, old_so = card.state, card.state.user_pin, card.state.so_pin
    if old_so:
        pin.check(state, "so_pin", [code], card.file.save, card.spent)
        old_so = state.so_pin
    state.keys.clear()
    device = files.name(files.DEVICE_CERTIFICATE)
    state.files = {device: state.files[device]}
    state.options = options
    state.so_pin = pin.make(code, pin.SO_PIN_TRIES, checks=old_so.checks if old_so else 0)
    state.user_pin = pin.make(user_pin, tries[0], checks=old_user.checks if old_user else 0) if user_pin else None
    shares = (items.get(_SHARES) or b"\x00")[0]
    state.dkek = KeyEncryptionKey(shares, shares)
    public_keys = items.get(_PUBLIC_KEYS, b"")
    state.public_key_authentication = PublicKeyAuthentication(*public_keys) if len(public_keys) == 2 else None
    card.verified = False
    card.current = None
    card.file.save()
    return Response()


def import_dkek_share(card: Session, command: Command) -> Response:
    """IMPORT DKEK SHARE, or without data its status: shares, shares outstanding, key check value (8 bytes)."""
    dkek = card.state.dkek
    if command.data:
        if len(command.data) != _SHARE_LENGTH:
            raise Refused(SW.WRONG_LENGTH)
        if not dkek.outstanding:
            raise Refused(SW.CONDITIONS_NOT_SATISFIED)
        value = bytes(a ^ b for a, b in zip(dkek.value, command.data, strict=True))
        dkek = msgspec.structs.replace(dkek, outstanding=dkek.outstanding - 1, value=value)
        card.state.dkek = dkek
        card.file.save()
    complete = dkek.shares and not dkek.outstanding
    check_value = hashlib.sha256(dkek.value).digest()[:_CHECK_VALUE_LENGTH] if complete else bytes(_CHECK_VALUE_LENGTH)
    return Response(bytes([dkek.shares, dkek.outstanding]) + check_value)


def public_key_authentication(card: Session, command: Command) -> Response:
    """The status of public key authentication: keys in all, missing, required, authenticated.

    Registering a key is not offered: the chain of a foreign card would have to be checked for that.
    """
    quorum = card.state.public_key_authentication
    if quorum is None:
        raise Refused(SW.INSTRUCTION_NOT_SUPPORTED)
    if command.data:
        raise Refused(SW.FUNCTION_NOT_SUPPORTED)
    return Response(bytes([quorum.total, quorum.total, quorum.required, 0]))
