"""Makes a card that is ready for use, as a ceremony would leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.card import curves, cvc, files, keys, pin, pkcs15, state
from rehearsal.card.commands_pin import RESET_WITH_SO_PIN
from rehearsal.card.errors import CardStateUnusable
from runbook.secrets import Secret

Curve = Literal["P-256", "P-384"]
_CURVES = {"P-256": curves.P256, "P-384": curves.P384}

_ROOT = "DERHSR0100001"
_ISSUER = "DERHDI0100001"
_SEQUENCE = "00000"
_REQUEST_AUTHORITY = "UTCA00001"
_REQUEST_SEQUENCE = "00001"

_ROLE_ISSUER = 0x80
_ROLE_DEVICE = 0x00


@dataclass(frozen=True)
class CardKey:
    """A key to be made on the card: its CKA_ID, its curve and its label."""

    id: bytes
    curve: Curve
    label: str


def manufacture(path: Path, *, serial: str) -> None:
    """A card as it comes from the factory: a device key with its certificates, never initialised. Raises
    CardStateUnusable.
    """
    _write(path, _manufactured(serial))


def foreign(path: Path) -> None:
    """A card of another maker, which no middleware here knows. Raises CardStateUnusable."""
    _write(path, state.CardState("XXXX0000000", b"", {}, foreign=True))


def personalise(
    path: Path,
    *,
    serial: str,
    label: str,
    user_pin: Secret,
    so_pin: Secret,
    keys_to_make: Sequence[CardKey] = (),
    pin_pad: bool = False,
) -> None:
    """A card that is initialised, with the PIN reset by SO-PIN allowed, and with these keys made on it.

    `serial` is four letters and seven digits, `user_pin` 6 to 15 characters, `so_pin` 16 hex digits. With `pin_pad` the
    card takes the user PIN from a pad of its own, as readers with a keyboard do. Raises
    ValueError for PINs the card could not have, and CardStateUnusable.
    """
    if len(user_pin) not in pin.USER_PIN_LENGTH or len(so_pin) != 2 * pin.SO_PIN_LENGTH:
        raise ValueError("the user PIN has 6 to 15 characters, the SO-PIN 16 hex digits")
    card = _manufactured(serial)
    card.pin_pad = pin_pad
    card.options = bytes([0, RESET_WITH_SO_PIN])
    card.user_pin = pin.make(bytes(user_pin.reveal()), pin.USER_PIN_TRIES)
    card.so_pin = pin.make(bytes.fromhex(so_pin.reveal_text()), pin.SO_PIN_TRIES)
    card.files[files.name(files.TOKEN_INFO)] = pkcs15.token_info(label)
    for reference, wanted in enumerate(keys_to_make, start=1):
        _add_key(card, reference, wanted)
    _write(path, card)


def _manufactured(serial: str) -> state.CardState:
    device, issuer, root = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    chain = cvc.certificate(device, serial + _SEQUENCE, issuer, _ISSUER, role=_ROLE_DEVICE)
    chain += cvc.certificate(issuer, _ISSUER, root, _ROOT, role=_ROLE_ISSUER)
    return state.CardState(serial, keys.encode(device), {files.name(files.DEVICE_CERTIFICATE): chain})


def _add_key(card: state.CardState, reference: int, wanted: CardKey) -> None:
    domain = _CURVES[wanted.curve]
    key, device = ec.generate_private_key(domain.curve), keys.decode_ec(card.device_key)
    request = cvc.request(key, card.serial + _REQUEST_SEQUENCE, _REQUEST_AUTHORITY, device, card.serial + _SEQUENCE)
    card.keys[reference] = keys.encode(key)
    card.files[files.name(files.KEY_CERTIFICATE << 8 | reference)] = request
    description = pkcs15.ec_private_key(wanted.label, wanted.id, reference, domain.size * 8)
    card.files[files.name(files.PRIVATE_KEY_DESCRIPTION << 8 | reference)] = description


def _write(path: Path, card: state.CardState) -> None:
    try:
        state.write(path, card)
    except OSError as error:
        raise CardStateUnusable(f"the card cannot be made: {error.strerror}", where=str(path)) from error
