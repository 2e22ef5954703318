"""What can be wrong in a drill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Drill:
    """What a fault is like."""

    story: str
    """What has happened, for the person who runs the drill."""
    shows: str
    """Where the cutover's runbook finds it, and the symptom there."""
    mendable: bool = False
    """Whether it can be put right while the drill goes on (`rehearsal.mending`)."""
    needs_card: bool = True
    """Whether it takes a token that has a PIN counter or can leave its reader; SoftHSM2 has neither."""
    needs_full: bool = False
    """Whether it takes a lab with an engine and a CA."""


class Fault(StrEnum):
    """One thing that is not as it should be; the runbook has to find it."""

    WRONG_DONGLE = "wrong-dongle"
    TAMPERED_EXPORT = "tampered-export"
    WRONG_PAPER = "wrong-paper"
    PIN_LOW = "pin-low"
    PIN_FINAL = "pin-final"
    PIN_LOCKED = "pin-locked"
    CARD_PULLED = "card-pulled"
    CARD_SWAPPED = "card-swapped"
    CARD_SLOW = "card-slow"
    CARD_SILENT = "card-silent"
    READER_MISSING = "reader-missing"
    TOKEN_BUSY = "token-busy"  # noqa: S105 - a fault's name
    WRONG_SERIAL = "wrong-serial"
    PIN_FILE_EMPTY = "pin-file-empty"
    MODULE_PATH = "module-path"
    ROOT_OWNED_VOLUME = "root-owned-volume"
    PROVISIONERS_FIVE = "provisioners-five"
    MITM_CA = "mitm-ca"
    VOLUME_IN_USE = "volume-in-use"
    KILLED_AT_G3 = "killed-at-g3"

    @property
    def drill(self) -> Drill:
        return _DRILLS[self]

    @property
    def tries(self) -> int | None:
        """How many attempts the user PIN has left from the start; None: all."""
        return {Fault.PIN_LOW: 2, Fault.PIN_FINAL: 1, Fault.PIN_LOCKED: 0}.get(self)


_DRILLS = {
    Fault.WRONG_DONGLE: Drill(
        "somebody plugged another dongle in: the same label, another serial, other keys",
        "A1.slots: wrong serial",
        needs_card=False,
    ),
    Fault.TAMPERED_EXPORT: Drill(
        "the export stick was exchanged: its files agree with each other, its keys are a stranger's",
        "A4.intermediate: keys differ",
        needs_card=False,
    ),
    Fault.WRONG_PAPER: Drill(
        "the fingerprint on paper differs from the real one in one character",
        "B1.paper: paper differs",
        needs_card=False,
    ),
    Fault.PIN_LOW: Drill(
        "somebody has typed the PIN wrongly once: 2 attempts are left",
        "A3.sign: pin low, when the question whether to risk one is answered with no; A3.counter warns",
    ),
    Fault.PIN_FINAL: Drill(
        "somebody has typed the PIN wrongly twice: 1 attempt is left",
        "A3.unlock: pin final try",
    ),
    Fault.PIN_LOCKED: Drill("the user PIN is locked", "A3.unlock: pin locked"),
    Fault.CARD_PULLED: Drill(
        "somebody pulls the card out at the moment it is to sign",
        "A3.sign: token removed",
        mendable=True,
    ),
    Fault.CARD_SWAPPED: Drill(
        "while the host role runs, somebody puts another card in: the same label, another serial, other keys",
        "A3.objects: token swapped",
        mendable=True,
    ),
    Fault.CARD_SLOW: Drill(
        "the card takes a twentieth of a second for each command",
        "nowhere: all is green, and the screen answers all the time",
        mendable=True,
    ),
    Fault.CARD_SILENT: Drill(
        "the card takes the command to sign and never answers it",
        "A3.sign: token not responding",
        mendable=True,
    ),
    Fault.READER_MISSING: Drill("pcscd does not run", "A1.slots: reader missing", mendable=True),
    Fault.TOKEN_BUSY: Drill(
        "another process holds the card for itself (exclusive mode of PC/SC)",
        "A1.slots: token busy",
        mendable=True,
    ),
    Fault.WRONG_SERIAL: Drill(
        "the serial in the CA's configuration is another HSM's",
        "F.config: serial",
        needs_card=False,
        needs_full=True,
    ),
    Fault.VOLUME_IN_USE: Drill(
        "somebody's backup container, which does not run, still has the CA's volume",
        "G3.wipe: volume in use",
        mendable=True,
        needs_full=True,
    ),
    Fault.KILLED_AT_G3: Drill(
        "the program is killed (SIGKILL) at the moment the CA's volume is gone",
        "G3.wipe, where the program ends; `runbook resume` goes on, and the probe says how far the wipe has come",
        needs_full=True,
    ),
    Fault.ROOT_OWNED_VOLUME: Drill(
        "somebody works in the CA's new volume as root while it is filled, so that all in it belongs to root",
        "G4.fill or G4.exact: owner",
        needs_full=True,
    ),
    Fault.PIN_FILE_EMPTY: Drill(
        "somebody renders .env on the CA's host anew before the CA comes up, with a blank in the PIN's place",
        "G5.log: PIN file",
        mendable=True,
        needs_full=True,
    ),
    Fault.MODULE_PATH: Drill(
        "under the base image's name there is another flavour since the test build: the PKCS#11 module is not in it",
        "G5.log: module not found",
        mendable=True,
        needs_full=True,
    ),
    Fault.PROVISIONERS_FIVE: Drill(
        "the site's script leaves one of the six provisioners out",
        "G6.six: missing",
        mendable=True,
        needs_full=True,
    ),
    Fault.MITM_CA: Drill(
        "somebody else answers under the CA's name, with a root of their own",
        "G6.six: another root",
        mendable=True,
        needs_full=True,
    ),
}


def change_one_character(fingerprint: str, position: int) -> str:
    """`fingerprint` (hex) with another digit at `position`."""
    other = "0123456789abcdef"[(int(fingerprint[position], 16) + 8) % 16]
    return fingerprint[:position] + other + fingerprint[position + 1 :]
