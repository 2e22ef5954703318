"""The lab's SmartCard-HSM in software, as the ceremony left it; `rehearsal.keeper` keeps it in a reader."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rehearsal.card import fitness, keys, state
from rehearsal.card.pcscd import environment_for
from rehearsal.card.personalise import CardKey, personalise
from rehearsal.token import LabToken
from runbook.errors import EnvironmentLacks
from runbook.findable import opensc_module
from runbook.secrets import Secret

_LONGEST_SOCKET = 107
"""Bytes of a Unix socket's address (unix(7))."""


@dataclass(frozen=True, slots=True)
class CardPlaces:
    """Where the parts of a card lie in a lab."""

    lab: Path

    @property
    def state(self) -> Path:
        """The card that the ceremony wrote to."""
        return self.lab / "cards" / "intermediate.card"

    @property
    def other(self) -> Path:
        """A stranger's card with the same label, for the drill that swaps them."""
        return self.lab / "cards" / "other.card"

    @property
    def reader(self) -> Path:
        """The reader's own folder, which is there while the reader is."""
        return self.lab / "reader"

    @property
    def keeper(self) -> Path:
        """Holds the process id of the keeper while the card is in its reader."""
        return self.reader / "keeper.pid"

    @property
    def mended(self) -> Path:
        """There once a drill's fault was put right."""
        return self.lab / "cards" / "mended"

    @property
    def swapped(self) -> Path:
        """There while the stranger's card is in the reader."""
        return self.lab / "cards" / "swapped"

    @property
    def inserted(self) -> Path:
        """The card that is in the reader, or that was last."""
        return self.other if self.swapped.exists() else self.state

    @property
    def turn(self) -> Path:
        """Locked by the keeper of the reader."""
        return self.lab / "reader.lock"

    @property
    def control(self) -> Path:
        """The control socket of the card in the reader."""
        return self.reader / "card-1.control"


async def obstacle(lab: Path) -> str | None:
    """What keeps a card in this folder from being used here, for people; None when nothing does."""
    if opensc_module() is None or fitness.program("sc-hsm-tool") is None:
        return "packages are missing: opensc, opensc-pkcs11"
    if len(str(CardPlaces(lab).control).encode()) > _LONGEST_SOCKET:
        return f"the lab's path is too long for a socket: {lab}"
    return await fitness.obstacle()


def make_card(
    lab: Path, label: str, key_labels: dict[str, str], *, pin: Secret, so_pin: Secret, tries: int | None = None
) -> LabToken:
    """A card with one P-384 key pair for each of `key_labels` (CKA_ID in hex → label).

    `tries`: what the user PIN counter shows from the start; None: all. Raises EnvironmentLacks and CardStateUnusable.
    """
    module = opensc_module()
    if module is None:
        raise EnvironmentLacks("OpenSC's PKCS#11 module was not found on this machine")
    places = CardPlaces(lab)
    places.state.parent.mkdir(mode=0o700)
    serial = random_serial()
    wanted = [CardKey(bytes.fromhex(key_id), "P-384", name) for key_id, name in key_labels.items()]
    personalise(places.state, serial=serial, label=label, user_pin=pin, so_pin=so_pin, keys_to_make=wanted)
    card = state.read(places.state)
    if tries is not None and card.user_pin:
        card.user_pin = msgspec.structs.replace(card.user_pin, tries=tries)
        state.write(places.state, card)
    # The references of the keys count from 1, in the order they were made.
    points = {
        key_id: keys.point(keys.decode_ec(card.keys[reference])) for reference, key_id in enumerate(key_labels, start=1)
    }
    return LabToken(module, environment_for(places.reader), label, serial, points)


def make_other_card(lab: Path, label: str, key_labels: dict[str, str], *, pin: Secret, so_pin: Secret) -> None:
    """The stranger's card. Raises CardStateUnusable."""
    wanted = [CardKey(bytes.fromhex(key_id), "P-384", name) for key_id, name in key_labels.items()]
    path = CardPlaces(lab).other
    personalise(path, serial=random_serial(), label=label, user_pin=pin, so_pin=so_pin, keys_to_make=wanted)


def random_serial() -> str:
    """As a Nitrokey HSM 2 has one: DENK and seven digits."""
    return f"DENK{secrets.randbelow(10**7):07}"
