"""Which of a module's tokens is meant: by serial and label, or by a URI; never by slot, never the only one there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from checks.hsm import errors
from checks.hsm.records import SlotRecord, TokenRecord
from checks.hsm.uri import Pkcs11Uri, UriError
from runbook.site import TokenProfile
from runbook.text import clean_line

_OPENSC_SUFFIX: Final = " (UserPIN)"
"""OpenSC adds the name of the PIN to the label of a card."""

_LABEL_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token must show; empty: anything."""

    label: str = ""
    serial: str = ""
    manufacturer: str = ""
    model: str = ""

    @classmethod
    def from_profile(cls, profile: TokenProfile) -> Self:
        """Raises UriError where the URI is wrong, names a slot, or names no token."""
        if not profile.uri:
            return cls(label=profile.label, serial=profile.serial)
        uri = Pkcs11Uri.parse(profile.uri)
        if uri.slot_id is not None:
            raise UriError("a token is never selected by its slot number (`slot-id`)", remedy="Use serial and token.")
        if uri.vendor_path:
            raise UriError(f"`{next(iter(uri.vendor_path))}` is not an attribute this program can compare")
        if not (uri.token or uri.serial):
            raise UriError("the URI names neither `serial` nor `token` (the label)")
        return cls(uri.token or "", uri.serial or "", uri.manufacturer or "", uri.model or "")

    def __str__(self) -> str:
        named = {
            "label": self.label,
            "serial": self.serial,
            "manufacturer": self.manufacturer,
            "model": self.model,
        }
        return ", ".join(f"{name} {clean_line(value)}" for name, value in named.items() if value)

    def label_fits(self, token: TokenRecord) -> bool:
        return not self.label or label_matches(self.label, token.label)

    def serial_fits(self, token: TokenRecord) -> bool:
        return self.serial in ("", token.serial)

    def fits(self, token: TokenRecord) -> bool:
        return (
            self.label_fits(token)
            and self.serial_fits(token)
            and self.manufacturer in ("", token.manufacturer)
            and self.model in ("", token.model)
        )


def label_matches(wanted: str, found: str) -> bool:
    """Whether a token's label is the one wanted, with or without what OpenSC appends."""
    return found in (wanted, (wanted + _OPENSC_SUFFIX)[:_LABEL_BYTES])


def choose(slots: Sequence[SlotRecord], wanted: Wanted) -> SlotRecord:
    """The one slot whose initialised token fits. Raises a TokenError that says what is there instead."""
    present = [slot for slot in slots if slot.token is not None]
    initialised = [slot for slot in present if slot.token and is_initialised(slot.token)]
    fitting = [slot for slot in initialised if slot.token and wanted.fits(slot.token)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise errors.TwoTokens(f"{len(fitting)} tokens match {wanted}: {_listed(fitting)}")
    if not initialised:
        raise _nothing_usable(slots, present, wanted)
    raise _mismatch(initialised, wanted)


def is_initialised(token: TokenRecord) -> bool:
    """Whether somebody has made this token a token; SoftHSM always shows one more that is not."""
    return "CKF_TOKEN_INITIALIZED" in token.flags


def token_name(token: TokenRecord) -> str:
    """Label and serial, cleaned."""
    return clean_line(f"{token.label} [{token.serial}]")


def _nothing_usable(slots: Sequence[SlotRecord], present: list[SlotRecord], wanted: Wanted) -> errors.TokenError:
    troubled = [slot for slot in slots if slot.trouble]
    if troubled:
        code = troubled[0].trouble
        kind = errors.BY_RETURN_CODE.get(code, errors.TokenError)
        return kind(f"the token in `{clean_line(troubled[0].description)}` cannot be read ({code})", code=code)
    if present:
        return errors.TokenNotInitialised(f"{wanted} is not there: {_listed(present)}")
    where = f"{len(slots)} empty slots" if slots else "no slot"
    return errors.NoToken(f"no token is there ({where}); expected {wanted}")


def _mismatch(initialised: list[SlotRecord], wanted: Wanted) -> errors.TokenError:
    tokens = [slot.token for slot in initialised if slot.token]
    there = _listed(initialised)
    if wanted.label and wanted.serial:
        if any(wanted.label_fits(token) for token in tokens):
            return errors.WrongSerial(f"the serial is not {clean_line(wanted.serial)}: {there}")
        if any(wanted.serial_fits(token) for token in tokens):
            return errors.WrongLabel(f"the label is not {clean_line(wanted.label)}: {there}")
    return errors.OtherToken(f"{wanted} is not there; found {there}")


def _listed(slots: list[SlotRecord]) -> str:
    """What is there, in a line."""
    return "; ".join(_described(slot) for slot in slots)


def _described(slot: SlotRecord) -> str:
    token = slot.token
    place = f"in `{clean_line(slot.description)}`"
    if token is None:
        return f"nothing {place}"
    if not is_initialised(token):
        return f"an uninitialised token {place}"
    return f"{token_name(token)} {place}"
