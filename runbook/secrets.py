"""Secrets in memory, and their removal from everything that leaves it."""

from __future__ import annotations

import base64
import hmac
import urllib.parse
from typing import Never

MASK = "••••••••"
"""Fixed width: the mask tells nothing of the length."""


class Secret:
    """A PIN or password, UTF-8 encoded in one buffer that can be wiped.

    It shows itself as a mask everywhere, cannot be pickled, hashed or compared by accident, and is unwrapped
    with `reveal()` inside the call expression that needs it, never into a variable.
    """

    __slots__ = ("_buffer",)

    def __init__(self, value: bytes | bytearray) -> None:
        self._buffer = bytearray(value)

    @classmethod
    def from_text(cls, value: str) -> Secret:
        return cls(value.encode())

    def reveal(self) -> bytes:
        """The bytes themselves; raises ValueError once wiped."""
        if not self._buffer:
            raise ValueError("this secret has been wiped")
        return bytes(self._buffer)

    def wipe(self) -> None:
        """Overwrite the buffer and forget it."""
        for index in range(len(self._buffer)):
            self._buffer[index] = 0
        self._buffer.clear()

    def equals(self, other: Secret) -> bool:
        """Comparison in constant time."""
        return hmac.compare_digest(self._buffer, other._buffer)

    def __len__(self) -> int:
        return len(self._buffer)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is never serialised")

    def __eq__(self, other: object) -> bool:
        raise TypeError("compare secrets with Secret.equals")

    __hash__ = None  # type: ignore[assignment]


class Redactor:
    """Removes every secret it knows from text, also as base64, hex and in URL encoding.

    Secrets shorter than `SHORTEST` bytes are not removed: their digits occur everywhere by chance.
    """

    SHORTEST = 4

    def __init__(self) -> None:
        self._forms: list[str] = []

    def learn(self, secret: Secret) -> None:
        """Remove this secret from now on."""
        if len(secret) < self.SHORTEST:
            return
        for form in _forms(secret.reveal()):
            if form not in self._forms:
                self._forms.append(form)
        self._forms.sort(key=len, reverse=True)

    @property
    def longest(self) -> int:
        """Characters of the longest form."""
        return max(map(len, self._forms), default=0)

    def stream(self) -> RedactedStream:
        """For text that comes in pieces: what is split over two of them is removed too."""
        return RedactedStream(self)

    def __call__(self, text: str) -> str:
        """`text` with each known secret replaced by the mask."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


class RedactedStream:
    """Redacts a text piece by piece; all its pieces together come out as the whole text would."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """What may go out now: all but what could become a secret with what comes next."""
        clean = self._redactor(self._held + text)
        kept = max(len(clean) - max(self._redactor.longest - 1, 0), 0)
        self._held = clean[kept:]
        return clean[:kept]

    def finish(self) -> str:
        """The rest."""
        rest, self._held = self._redactor(self._held), ""
        return rest


def _forms(raw: bytes) -> set[str]:
    text = raw.decode(errors="replace")
    plain = base64.b64encode(raw).decode()
    forms = {text, plain, plain.rstrip("="), base64.urlsafe_b64encode(raw).decode(), raw.hex(), raw.hex().upper()}
    forms |= {raw.hex(" "), raw.hex(" ").upper(), raw.hex(":"), raw.hex(":").upper()}  # as hex dumps write it
    forms.add(urllib.parse.quote(text, safe=""))
    return {form for form in forms if len(form) >= Redactor.SHORTEST}
