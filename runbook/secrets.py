"""Secrets in memory, and their removal from everything that leaves it."""

from __future__ import annotations

import contextlib
import hmac
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Never

from runbook.sieve import Form, Sieve
from runbook.spellings import spellings
from runbook.wiping import wipe, wipe_lent

MASK = "••••••••"
"""Fixed width: the mask tells nothing of the length."""


class Secret:
    """A PIN or password, UTF-8 encoded in one buffer that can be wiped.

    It shows itself as a mask everywhere, cannot be pickled, hashed or compared by accident, and is unwrapped
    with `reveal()` inside the call expression that needs it, never into a variable. docs/secrets.md tells its way.
    """

    __slots__ = ("_buffer", "_pad")

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        self._buffer = bytearray(value)
        self._pad = bytearray()
        """What the buffer was changed with while the secret rests."""

    @classmethod
    def from_text(cls, value: str) -> Secret:
        return cls(value.encode())

    def reveal(self) -> memoryview:
        """The bytes themselves, read-only and where they are: no copy is made. Raises ValueError once wiped."""
        if not self._buffer:
            raise ValueError("this secret has been wiped")
        self._wake()
        return memoryview(self._buffer).toreadonly()

    def reveal_text(self) -> str:
        """As a text, of which a copy stays where nobody can wipe it: for rehearsals, whose secrets lie in files."""
        return str(self.reveal(), "utf-8")

    @contextlib.contextmanager
    def lent(self) -> Iterator[bytes]:
        """A copy for a library that takes nothing but bytes; it is overwritten afterwards."""
        self._wake()
        copy = bytes(self._buffer)
        try:
            yield copy
        finally:
            wipe_lent(copy)

    def rest(self) -> None:
        """It is kept for a later use: until then it stands nowhere as it is. Who still looks at it sees noise."""
        if self._buffer and not self._pad:
            self._pad = bytearray(os.urandom(len(self._buffer)))
            self._shuffle()

    def _wake(self) -> None:
        if self._pad:
            self._shuffle()
            self._pad = bytearray()

    def _shuffle(self) -> None:
        for place, noise in enumerate(self._pad):
            self._buffer[place] ^= noise

    def wipe(self) -> None:
        """Overwrite the buffer and forget it; who still looks at it sees zeros."""
        wipe(self._buffer)
        self._buffer, self._pad = bytearray(), bytearray()

    def equals(self, other: Secret) -> bool:
        """Comparison in constant time."""
        self._wake()
        other._wake()
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
    """Removes every secret it knows from text, however it is spelled there (`runbook.spellings`).

    Secrets shorter than `SHORTEST` bytes are not removed: their characters stand everywhere by chance, and a mask in
    the place of a number that anybody can guess (line 122, the mask, line 124) would tell what is behind it. No token
    known to us takes so short a PIN. With four digits that can still happen, and is the smaller evil.
    """

    SHORTEST = 4

    def __init__(self) -> None:
        self._sieve = Sieve(())

    def learn(self, secret: Secret) -> None:
        """Remove this secret from now on."""
        if len(secret) < self.SHORTEST:
            return
        known = {form.spelling for form in self._sieve.forms}
        new = [Form(spelling) for spelling in spellings(secret.reveal()) if spelling not in known]
        self._sieve = Sieve((*self._sieve.forms, *new))
        # Compiling takes some tenths of a second, in which the event loop would stand still at the first use.
        with contextlib.suppress(RuntimeError):  # no room for a thread: then at the first use
            threading.Thread(target=_prepare, args=(new,), name="redactor", daemon=True).start()

    def stream(self) -> RedactedStream:
        """For text that comes in pieces: what is split over two of them is removed too."""
        return RedactedStream(self)

    def __call__(self, text: str) -> str:
        """`text` with each known secret replaced by the mask."""
        return self.part("", text, "")

    def finds(self, text: str) -> bool:
        """Whether a known secret stands anywhere in `text`."""
        return next(self._sieve.places(text), None) is not None

    def part(self, before: str, text: str, after: str) -> str:
        """`text`, redacted as it is within what stands around it."""
        out, at, until = [], len(before), len(before) + len(text)
        whole = f"{before}{text}{after}"
        for start, end in self.places(whole):
            if start < until and end > len(before):
                out += [whole[at:start], MASK]
                at = min(end, until)
        return "".join([*out, whole[at:until]])

    def places(self, text: str, covered: int = 0) -> list[tuple[int, int]]:
        """Where secrets are: start and end of each place, in order and apart.

        The first `covered` characters are known to be one.
        """
        found = [(0, covered)] if covered else []
        if len(text) >= self.SHORTEST:
            found += self._sieve.places(text)
        found.sort()
        apart: list[tuple[int, int]] = []
        for start, end in found:
            if apart and start <= apart[-1][1]:
                apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
            else:
                apart.append((start, end))
        return apart

    def open(self, text: str) -> int:
        """The place from which on `text` may be the beginning of a secret; its length, if there is none."""
        return self._sieve.open(text)


class RedactedStream:
    """Redacts a text piece by piece; the pieces that come out together are the whole text, redacted."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._covered = 0
        """Characters at the beginning of what is held that belong to a secret whose mask is out already."""
        self._masked = False
        """Whether the last that went out was a mask."""

    def feed(self, text: str) -> str:
        """What may go out now: all but what can still become a secret, which is at most its longest spelling."""
        held = self._held + text
        return self._out(held, self._redactor.open(held))

    def finish(self) -> str:
        """The rest."""
        return self._out(self._held, len(self._held))

    def _out(self, text: str, until: int) -> str:
        out: list[str] = []
        at = 0
        for start, end in self._redactor.places(text, self._covered):
            if start >= until:
                break
            out.append(text[at:start])
            if start or not self._masked:
                out.append(MASK)
            at = end
        if at < until:
            out.append(text[at:until])
        if until:
            self._masked = at >= until
        self._covered = max(at - until, self._covered - until, 0)
        self._held = text[until:]
        return "".join(out)


def _prepare(forms: Sequence[Form]) -> None:
    for form in forms:
        form.prepare()
