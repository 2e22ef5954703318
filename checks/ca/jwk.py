"""A JWK provisioner's key: out of its encryption by password, and into one-time tokens (RFC 7516 to 7519).

step-ca publishes the private key of such a provisioner as a JWE whose key comes from the password (PBES2, RFC 7518
§4.8); whoever can open it may sign tokens for which the authority issues certificates. The private key exists in memory
alone.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import secrets
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

from joserfc import jwe, jwt
from joserfc.errors import DecodeError, JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey, import_key
from joserfc.registry import HeaderParameter

from runbook.errors import StepError
from runbook.secrets import Secret
from runbook.threads import in_thread
from runbook.wiping import wipe

LIFE: Final = 300
"""Seconds that a one-time token is good for, as those of `step ca token`."""

MOST_ROUNDS: Final = 2_000_000
"""Rounds of PBKDF2 that are done; step-ca's own clients ask for 100 000, newer ones for 600 000."""

_WRAPPINGS = ("PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW")
_CONTENT = ("A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512")
_COMPACT = re.compile(r"[\w-]+(?:\.[\w-]*){4}", re.ASCII)
_LONGEST_HEADER = 2000
_CURVES: Mapping[str, str] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class WrongPassword(StepError):
    """The password does not open the provisioner's key."""

    symptom = "wrong password"


class UnusableKey(StepError):
    """The provisioner's key is not what its public part says, or of a form that is not known here."""

    symptom = "unusable key"


class ProvisionerKey:
    """An opened key; it shows nothing of itself."""

    def __init__(self, name: str, key: Key, algorithm: str) -> None:
        self.provisioner = name
        self.algorithm = algorithm
        """Of its signatures (RFC 7518 §3.1)."""
        self._key = key

    def __repr__(self) -> str:
        return f"ProvisionerKey({self.provisioner!r}, {self.algorithm})"

    def token(
        self,
        subject: str,
        audience: str,
        *,
        sans: Sequence[str] = (),
        root: str = "",
        step: Mapping[str, Any] | None = None,
    ) -> str:
        """A new one-time token, which is a secret until it has been used.

        `audience` is the URL that it is sent to; `root` the SHA-256 of the root in hex, if the authority is to compare
        it; `step` is step-ca's own claim, such as `{"ssh": {"certType": "user", "keyID": …, "principals": […]}}`.
        """
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": audience,
            "exp": now + LIFE,
            "iat": now,
            "iss": self.provisioner,
            "jti": secrets.token_hex(32),
            "nbf": now,
            "sub": subject,
        }
        if sans:
            claims["sans"] = list(sans)
        if root:
            claims["sha"] = root
        if step is not None:
            claims["step"] = dict(step)
        header = {"alg": self.algorithm, "kid": self._key.thumbprint()}
        with warnings.catch_warnings(
            action="ignore"
        ):  # RFC 9864 has other names for EdDSA, which step-ca does not know
            return jwt.encode(header, claims, self._key, algorithms=[self.algorithm])


async def open_key(name: str, public: Mapping[str, Any], encrypted: str, password: Secret) -> ProvisionerKey:
    """The private key of the provisioner `name`, of which `public` is the JWK and `encrypted` the JWE (compact).

    In a thread: the password is stretched on purpose. Raises WrongPassword and UnusableKey, neither of which holds
    anything secret.
    """
    return await in_thread(lambda: _open(name, public, encrypted, password))


def _open(name: str, public: Mapping[str, Any], encrypted: str, password: Secret) -> ProvisionerKey:
    # What the library finds weak without refusing it, it says on standard error, which belongs to the screen.
    with warnings.catch_warnings(action="ignore"):
        return _opened(name, public, encrypted, password)


def _opened(name: str, public: Mapping[str, Any], encrypted: str, password: Secret) -> ProvisionerKey:
    if (header := _header(encrypted)) is None:
        raise _unusable(name, "it is no JWE in five parts")
    if header.get("alg") not in _WRAPPINGS or header.get("enc") not in _CONTENT or "zip" in header:
        raise _unusable(name, "its encryption is of a kind that is not known here")
    if not password:
        raise WrongPassword("nothing was typed", where=name)
    try:
        with password.lent() as lent:
            found = jwe.decrypt_compact(encrypted, OctKey.import_key(lent), registry=registry())
    except DecodeError:
        found = None
    except (JoseError, ValueError, TypeError) as error:
        raise _unusable(name, f"its encryption cannot be undone: {type(error).__name__}") from None
    if found is None or found.plaintext is None:
        raise WrongPassword(
            f"the password does not open the key of {name}",
            remedy="It is that of the provisioner, not that of a token. Type it anew with a new try of the step.",
        )
    plain = bytearray(found.plaintext)
    try:
        key = import_key(_object(json.loads(plain)))
        known = import_key(dict(public))
        same = key.is_private and key.thumbprint() == known.thumbprint()
        algorithm = _algorithm(key)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _unusable(name, f"what it holds is no key: {type(error).__name__}") from None
    finally:
        wipe(plain)
    if not same:
        raise _unusable(name, "what it holds is not the private part of the provisioner's public key")
    if not algorithm:
        raise _unusable(name, "no signature algorithm is known here for a key of its type")
    return ProvisionerKey(name, key, algorithm)


def _header(encrypted: str) -> dict[str, Any] | None:
    """The header of a JWE in the compact form (RFC 7516 §3.1); None: it is none."""
    if not _COMPACT.fullmatch(encrypted) or len(first := encrypted.partition(".")[0]) > _LONGEST_HEADER:
        return None
    try:
        return _object(json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4))))
    except (ValueError, TypeError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _unusable(name: str, why: str) -> UnusableKey:
    return UnusableKey(f"the encrypted key of {name} cannot be used: {why}", remedy="Add the provisioner anew.")


def _algorithm(key: Key) -> str:
    """How it signs; empty: nothing that is known here."""
    match key:
        case ECKey():
            return _CURVES.get(key.curve_name, "")
        case OKPKey() if key.curve_name in ("Ed25519", "Ed448"):
            return "EdDSA"
        case RSAKey():
            return "RS256"
    return ""


def _rounds(value: object) -> None:
    if not isinstance(value, int) or not 1000 <= value <= MOST_ROUNDS:
        raise ValueError(f"from 1000 to {MOST_ROUNDS}")


def registry() -> jwe.JWERegistry:
    """What step-ca's clients use, with more rounds than the library allows by itself, and no compression."""
    models = {}
    for name in _WRAPPINGS:
        model = copy.copy(jwe.JWERegistry.algorithms["alg"][name])
        rounds = HeaderParameter("PBES2 Count", _rounds, required=True)
        model.more_header_registry = {**model.more_header_registry, "p2c": rounds}
        models[name] = model
    registry = jwe.JWERegistry(algorithms=[*_WRAPPINGS, *_CONTENT])
    registry.algorithms = {"alg": models, "enc": registry.algorithms["enc"], "zip": {}}
    return registry
