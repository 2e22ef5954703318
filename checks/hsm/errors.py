"""What can go wrong with a token, each as a type with a symptom (for the hints) and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from runbook.errors import StepError


class TokenError(StepError):
    """The token or its module gave an error that has no name of its own here."""

    symptom = "token error"
    advice: ClassVar[str] = "Read the token's state with the `slots` check; then retry, or replug the token."
    code: str = ""
    """The PKCS#11 return code by name, where one was given."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", code: str = "", after_pin: bool = False
    ) -> None:
        super().__init__(what, where=where, remedy=remedy or type(self).advice)
        self.code = code
        self.after_pin = after_pin
        """Whether a PIN had gone to the token before the error came."""


# -- the module ---------------------------------------------------------------------------------------------------


class ModuleMissing(TokenError):
    """There is no file at the module's path."""

    symptom = "module missing"
    advice = "Install the package that provides the module, or correct `module` in the site profile."


class NotAPkcs11Module(TokenError):
    """The file is no shared library, or one without C_GetFunctionList."""

    symptom = "not a PKCS#11 module"
    advice = "Point `module` in the site profile at the PKCS#11 library, for example opensc-pkcs11.so."


class ModuleCrashed(TokenError):
    """The process ended while it loaded the module."""

    symptom = "module crashed"
    advice = "Try the module with `pkcs11-tool --module PATH -L`; reinstall or replace it."


class ModuleFailed(TokenError):
    """C_Initialize or C_GetInfo gave an error."""

    symptom = "module failed"
    advice = "Read the module's configuration and environment (`env` in the site profile)."


class ModuleNotResponding(TokenError):
    """Loading the module passed the deadline."""

    symptom = "module not responding"
    advice = "Try the module with `pkcs11-tool --module PATH -L`; look whether pcscd or its server answers."


# -- which token --------------------------------------------------------------------------------------------------


class NoToken(TokenError):
    """No slot holds a token."""

    symptom = "no token"
    advice = "Seat the token, look whether pcscd runs, and try again."


class TwoTokens(TokenError):
    """More than one token matches."""

    symptom = "two tokens"
    advice = "Leave only the token that is meant plugged in, or name its serial in the site profile."


class WrongSerial(TokenError):
    """A token with the right label and another serial."""

    symptom = "wrong serial"
    advice = "This is another device: find the one whose serial stands on the paper sheet."


class WrongLabel(TokenError):
    """A token with the right serial and another label."""

    symptom = "wrong label"
    advice = "The device is the right one and was initialised under another name: stop and find out when."


class OtherToken(TokenError):
    """Tokens are there, and none of them is the one meant."""

    symptom = "other token"
    advice = "Plug in the token that is meant; compare label and serial with the paper sheet."


class TokenNotInitialised(TokenError):
    """Only tokens without CKF_TOKEN_INITIALIZED are there."""

    symptom = "token not initialised"
    advice = "This token was never initialised, or was wiped: it cannot be the one from the ceremony."


class TokenNotRecognised(TokenError):
    """Something is in the slot that the module does not know."""

    symptom = "token not recognised"
    advice = "Look whether the card sits the right way and whether the module supports it."


class TokenRemoved(TokenError):
    """The token, or the session with it, is gone."""

    symptom = "token removed"
    advice = "Seat the token again and retry; a login made before is lost."


class TokenSwapped(TokenError):
    """Another token is in the slot than before."""

    symptom = "token swapped"
    advice = "Put the first token back, or start again at the check of the slots."


# -- the worker ---------------------------------------------------------------------------------------------------


class TokenNotResponding(TokenError):
    """A call passed its deadline; its worker was killed."""

    symptom = "token not responding"
    advice = "Replug the token and retry; a login made before is lost."


class WorkerCrashed(TokenError):
    """The worker process ended during a call."""

    symptom = "worker crashed"
    advice = "Retry: a fresh worker is started; a login made before is lost."


# -- keys and mechanisms ------------------------------------------------------------------------------------------


class KeyMissing(TokenError):
    """No key of that id and class."""

    symptom = "key missing"
    advice = "List what is there with the `objects` check; compare the ids with the paper sheet."


class KeyDoubled(TokenError):
    """More than one key of that id and class."""

    symptom = "key doubled"
    advice = "Two keys share one id: find out which one the ceremony made before going on."


class WrongKeyType(TokenError):
    """The key is of a type that cannot do what is asked."""

    symptom = "wrong key type"
    advice = "Compare the key's type with what the ceremony made."


class MechanismMissing(TokenError):
    """The token does not offer the mechanism."""

    symptom = "mechanism missing"
    advice = "Leave `mechanism` out to let the program choose from the token's own list."


# -- the PIN ------------------------------------------------------------------------------------------------------


class NotLoggedIn(TokenError):
    """The operation needs a login that is not there, or no longer."""

    symptom = "not logged in"
    advice = "Retry the step: the PIN is asked for again."


class PinIncorrect(TokenError):
    """The token refused the PIN; one attempt is spent."""

    symptom = "pin incorrect"
    advice = "Stop. Read the paper again (O and 0, the keyboard's layout) before you try once more."


class PinLocked(TokenError):
    """The user PIN is locked."""

    symptom = "pin locked"
    advice = "Reset the user PIN with the SO-PIN from the safe: `sc-hsm-tool --unlock-pin`."


class PinFinalTry(TokenError):
    """One attempt is left; it is not spent on a guess."""

    symptom = "pin final try"
    advice = "Do not guess. Reset the counter with the SO-PIN from the safe first: `sc-hsm-tool --unlock-pin`."


class PinLow(TokenError):
    """Attempts are missing, and the operator chose not to go on."""

    symptom = "pin low"
    advice = "Find out who spent the missing attempts; then retry."


class PinLength(TokenError):
    """The PIN is shorter or longer than the token allows; it was not sent."""

    symptom = "pin length"
    advice = "Nothing was sent and no attempt is spent. Read the paper again and retry."


class PinNotAscii(TokenError):
    """The PIN holds a character outside printable ASCII; it was not sent."""

    symptom = "pin not ascii"
    advice = "Nothing was sent and no attempt is spent. Look at the keyboard's layout and retry."


class PinNotSet(TokenError):
    """The token has no user PIN, or the PIN must be changed before use."""

    symptom = "pin not set"
    advice = "Set the user PIN with the SO-PIN first."


class LoginInDoubt(TokenError):
    """The PIN was sent and the answer never came: nobody knows whether the attempt was counted."""

    symptom = "login in doubt"
    advice = "Read the PIN counter before anything else; the attempt may have been counted."


BY_RETURN_CODE: Mapping[str, type[TokenError]] = {
    "CKR_PIN_INCORRECT": PinIncorrect,
    "CKR_PIN_LOCKED": PinLocked,
    "CKR_PIN_LEN_RANGE": PinLength,
    "CKR_PIN_INVALID": PinNotAscii,
    "CKR_PIN_EXPIRED": PinNotSet,
    "CKR_USER_PIN_NOT_INITIALIZED": PinNotSet,
    "CKR_USER_NOT_LOGGED_IN": NotLoggedIn,
    "CKR_TOKEN_NOT_PRESENT": TokenRemoved,
    "CKR_DEVICE_REMOVED": TokenRemoved,
    "CKR_SLOT_ID_INVALID": TokenRemoved,
    "CKR_SESSION_CLOSED": TokenRemoved,
    "CKR_SESSION_HANDLE_INVALID": TokenRemoved,
    "CKR_TOKEN_NOT_RECOGNIZED": TokenNotRecognised,
    "CKR_KEY_HANDLE_INVALID": KeyMissing,
    "CKR_OBJECT_HANDLE_INVALID": KeyMissing,
    "CKR_KEY_TYPE_INCONSISTENT": WrongKeyType,
    "CKR_KEY_FUNCTION_NOT_PERMITTED": WrongKeyType,
    "CKR_MECHANISM_INVALID": MechanismMissing,
    "CKR_MECHANISM_PARAM_INVALID": MechanismMissing,
}
"""Return codes (PKCS#11 v2.40 §5.1) that have a type of their own; all others are a TokenError with its code."""

PIN_REFUSALS: Final = frozenset(
    {
        "CKR_ARGUMENTS_BAD",
        "CKR_DATA_LEN_RANGE",
        "CKR_PIN_EXPIRED",
        "CKR_PIN_INCORRECT",
        "CKR_PIN_INVALID",
        "CKR_PIN_LEN_RANGE",
        "CKR_PIN_LOCKED",
        "CKR_USER_ALREADY_LOGGED_IN",
        "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
        "CKR_USER_PIN_NOT_INITIALIZED",
        "CKR_USER_TOO_MANY_TYPES",
        "CKR_USER_TYPE_INVALID",
    }
)
"""What C_Login gives when the token has judged; after any other code nobody knows whether it had."""


def _all_errors(base: type[TokenError] = TokenError) -> list[type[TokenError]]:
    return [base, *(error for child in base.__subclasses__() for error in _all_errors(child))]


SYMPTOMS: dict[str, str] = {error.symptom: (error.__doc__ or "").splitlines()[0] for error in _all_errors()}
"""Every symptom a token can cause, with a sentence; kinds that use tokens declare these beside their own."""
