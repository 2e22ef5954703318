"""What can go wrong with a PIN; none of them is a reason to send it again."""

from __future__ import annotations

from checks.hsm.errors.base import TokenError


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
    advice = (
        "Reset the user PIN with the SO-PIN from the safe: a retry of a step that logs in offers it, and the action "
        "`pin.unlock` does it; by hand: `pkcs11-tool --login --login-type so --init-pin`."
    )


class PinFinalTry(TokenError):
    """One attempt is left; it is not spent on a guess."""

    symptom = "pin final try"
    advice = (
        "Do not guess. Reset the user PIN with the SO-PIN from the safe first: a retry of a step that logs in offers "
        "it, and the action `pin.unlock` does it; by hand: `pkcs11-tool --login --login-type so --init-pin`."
    )


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


class PinPadCancelled(TokenError):
    """The PIN was not typed on the reader's own pad, or it was cancelled there."""

    symptom = "pin pad cancelled"
    advice = "Retry, and type the PIN on the reader's pad as soon as it asks."


class PinChanged(TokenError):
    """The PIN counter is not what it was when the PIN was asked for; nothing was sent."""

    symptom = "pin counter changed"
    advice = "Somebody else uses this token. Find out who; nothing was sent. Then retry."


class SoPinForm(TokenError):
    """The SO-PIN does not have its form; it was not sent."""

    symptom = "so-pin form"
    advice = "Nothing was sent and no attempt is spent. Read the paper again and retry."


class SoPinIncorrect(TokenError):
    """The token refused the SO-PIN; one of its attempts is spent."""

    symptom = "so-pin incorrect"
    advice = "Stop. Read the paper from the safe again before you try once more: a locked SO-PIN cannot be reset."


class SoPinLocked(TokenError):
    """The SO-PIN is locked, or one wrong SO-PIN away from it."""

    symptom = "so-pin locked"
    advice = "Do not try. Without its SO-PIN the token cannot be recovered: fall back to the other token."


class NewPinsDiffer(TokenError):
    """The new PIN was typed differently the second time; nothing was sent."""

    symptom = "new pins differ"
    advice = "Nothing was sent and nothing is changed. Retry."


class PinResetNotAllowed(TokenError):
    """The token was set up so that the SO-PIN cannot reset the user PIN."""

    symptom = "pin reset not allowed"
    advice = "Use the other token; this one can only be initialised again, which destroys its keys."


class PinResetInDoubt(LoginInDoubt):
    """The SO-PIN was sent and the answer never came: nobody knows whether the PIN was reset."""

    symptom = "pin reset in doubt"
    advice = "Read both PIN counters before anything else; the user PIN is either the old or the new one."
