"""What can be wrong about which token is there, and what it holds."""

from __future__ import annotations

from checks.hsm.errors.base import TokenError


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


class ReaderMissing(TokenError):
    """There is no card reader, or nothing that serves it (pcscd)."""

    symptom = "reader missing"
    advice = "Plug the reader in and start pcscd (`systemctl start pcscd.socket`); then retry."


class ReaderRefused(TokenError):
    """The service of the card readers (pcscd) lets this user in to none."""

    symptom = "reader refused"
    advice = "Run as root, or let polkit allow `org.debian.pcsc-lite.access_pcsc` and `…access_card` to this user."


class TokenBusy(TokenError):
    """Another program holds the token."""

    symptom = "token busy"
    advice = "End the other program, then retry."
