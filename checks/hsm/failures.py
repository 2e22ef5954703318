"""What a worker refuses, as the typed errors of this program."""

from __future__ import annotations

from checks.hosts.carrier import FarEnd
from checks.hsm import errors
from checks.hsm.wire import Failure, Fault
from runbook.secrets import Redactor
from runbook.text import clean_line


def token_error(failure: Failure, operation: str, where: str, redactor: Redactor) -> errors.TokenError:
    """The error for a failed operation on a token."""
    detail = redactor(clean_line(failure.detail))
    match failure.code:
        case Fault.SWAPPED:
            return errors.TokenSwapped(f"another token is in the slot: {detail}", where=where)
        case Fault.KEY_MISSING:
            return errors.KeyMissing("there is no private key of that id", where=where)
        case Fault.KEY_DOUBLED:
            return errors.KeyDoubled(f"{detail} private keys have that id", where=where)
        case Fault.MECHANISM_UNKNOWN:
            return errors.MechanismMissing(f"there is no mechanism named {detail}", where=where)
        case Fault.PIN_FLAGS_CHANGED:
            now = detail or "no flag warns any more"
            return errors.PinChanged(
                f"the token's flags about the PIN have changed since you were asked ({now})", where=where
            )
        case Fault.INTERNAL:
            what = f"`{operation}` failed in the worker ({detail})"
            return errors.TokenError(what, where=where, after_pin=failure.sent)
    kind = errors.BY_RETURN_CODE.get(failure.code, errors.TokenError)
    what = f"{_first_line(kind)} (`{operation}`: {failure.code})"
    return kind(what, where=where, code=failure.code, after_pin=failure.sent)


def line_error(end: FarEnd, operation: str, where: str, redactor: Redactor, *, after_pin: bool) -> errors.TokenError:
    """The error for an operation during which the far program, or the line to it, ended."""
    if end.lost:
        return errors.LineToTokenLost(f"the line broke during `{operation}`", where=where, after_pin=after_pin)
    words = redactor(clean_line(end.words))
    said = f". Its last words: {words}" if words else ""
    what = f"`p11-kit remote` {end.how} on the token's host during `{operation}`{said}"
    return errors.WorkerCrashed(what, where=where, after_pin=after_pin)


def module_error(failure: Failure, module: str, where: str, redactor: Redactor) -> errors.TokenError:
    """The error for a module that could not be loaded."""
    if failure.code == Fault.MODULE_MISSING:
        return errors.ModuleMissing(f"there is no file {module}", where=where)
    if failure.code == Fault.NOT_PKCS11:
        detail = redactor(clean_line(failure.detail))
        return errors.NotAPkcs11Module(f"{module} is not a PKCS#11 module: {detail}", where=where)
    return errors.ModuleFailed(f"{module} could not be initialised ({failure.code})", where=where, code=failure.code)


def is_harmless(failure: Failure) -> bool:
    """Whether the worker that refused this may go on."""
    return failure.code in errors.HARMLESS or failure.code in set(Fault) - {Fault.SWAPPED, Fault.INTERNAL}


def judged(error: errors.TokenError) -> bool:
    """Whether the token's verdict on a PIN is known: it gave one, or never saw the PIN."""
    if isinstance(error, errors.TokenNotResponding | errors.WorkerCrashed):
        return False
    return not error.after_pin or error.code in errors.PIN_REFUSALS


def so_pin_error(error: errors.TokenError) -> errors.TokenError:
    """What a refused reset of the user PIN says of the SO-PIN."""
    kinds = {"CKR_PIN_INCORRECT": errors.SoPinIncorrect, "CKR_PIN_LOCKED": errors.SoPinLocked}
    kind = kinds.get(error.code)
    if kind is not None:
        return kind(f"the token refused the SO-PIN ({error.code})", where=error.where, code=error.code)
    if not judged(error):
        what = f"the SO-PIN was sent and the token's verdict never came ({error.what})"
        return errors.PinResetInDoubt(what, where=error.where)
    return error


def _first_line(kind: type[errors.TokenError]) -> str:
    line = (kind.__doc__ or "").splitlines()[0].rstrip(".")
    return line[:1].lower() + line[1:]
