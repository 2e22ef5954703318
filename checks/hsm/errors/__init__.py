"""What can go wrong with a token, each as a type with a symptom (for the hints) and what to do next."""

from __future__ import annotations

from checks.hosts.errors import SYMPTOMS as HOST_SYMPTOMS
from checks.hsm.errors.base import TokenError
from checks.hsm.errors.codes import BY_RETURN_CODE, HARMLESS, PIN_REFUSALS
from checks.hsm.errors.lines import LineToTokenLost, RemotingMissing
from checks.hsm.errors.modules import (
    ModuleCrashed,
    ModuleFailed,
    ModuleMissing,
    ModuleNotResponding,
    NotAPkcs11Module,
    TokenNotResponding,
    WorkerCrashed,
)
from checks.hsm.errors.pins import (
    LoginInDoubt,
    NewPinsDiffer,
    NotLoggedIn,
    PinChanged,
    PinFinalTry,
    PinIncorrect,
    PinLength,
    PinLocked,
    PinLow,
    PinNotAscii,
    PinNotSet,
    PinPadCancelled,
    PinResetInDoubt,
    PinResetNotAllowed,
    SoPinForm,
    SoPinIncorrect,
    SoPinLocked,
)
from checks.hsm.errors.tokens import (
    KeyDoubled,
    KeyMissing,
    MechanismMissing,
    NoToken,
    OtherToken,
    ReaderMissing,
    ReaderRefused,
    TokenBusy,
    TokenNotInitialised,
    TokenNotRecognised,
    TokenRemoved,
    TokenSwapped,
    TwoTokens,
    WrongKeyType,
    WrongLabel,
    WrongSerial,
)

__all__ = [
    "BY_RETURN_CODE",
    "HARMLESS",
    "PIN_REFUSALS",
    "SYMPTOMS",
    "KeyDoubled",
    "KeyMissing",
    "LineToTokenLost",
    "LoginInDoubt",
    "MechanismMissing",
    "ModuleCrashed",
    "ModuleFailed",
    "ModuleMissing",
    "ModuleNotResponding",
    "NewPinsDiffer",
    "NoToken",
    "NotAPkcs11Module",
    "NotLoggedIn",
    "OtherToken",
    "PinChanged",
    "PinFinalTry",
    "PinIncorrect",
    "PinLength",
    "PinLocked",
    "PinLow",
    "PinNotAscii",
    "PinNotSet",
    "PinPadCancelled",
    "PinResetInDoubt",
    "PinResetNotAllowed",
    "ReaderMissing",
    "ReaderRefused",
    "RemotingMissing",
    "SoPinForm",
    "SoPinIncorrect",
    "SoPinLocked",
    "TokenBusy",
    "TokenError",
    "TokenNotInitialised",
    "TokenNotRecognised",
    "TokenNotResponding",
    "TokenRemoved",
    "TokenSwapped",
    "TwoTokens",
    "WorkerCrashed",
    "WrongKeyType",
    "WrongLabel",
    "WrongSerial",
]


def _all_errors(base: type[TokenError] = TokenError) -> list[type[TokenError]]:
    return [base, *(error for child in base.__subclasses__() for error in _all_errors(child))]


SYMPTOMS: dict[str, str] = {
    **HOST_SYMPTOMS,
    **{error.symptom: (error.__doc__ or "").splitlines()[0] for error in _all_errors()},
}
"""Every symptom a token or its host can cause, with a sentence; kinds that use tokens declare these beside theirs."""
