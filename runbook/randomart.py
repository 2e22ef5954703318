"""A fingerprint as OpenSSH draws it (`ssh-keygen -lv`, sshkey.c `fingerprint_randomart`): the drunken bishop's walk.

People notice a different picture sooner than a different row of characters; a picture that looks the same proves
nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

WIDTH, HEIGHT = 17, 9
"""Cells of the field, without its frame."""

_COUNTS = " .o+=*BOX@%&#/^"
"""A sign for how often the bishop has been somewhere; more often than the last says is not told."""


def randomart(digest: bytes, title: str = "", footer: str = "") -> tuple[str, ...]:
    """`digest` as a picture of 11 lines of 19 characters; `title` and `footer` stand in its frame where they fit."""
    x, y = WIDTH // 2, HEIGHT // 2
    visits = [[0] * WIDTH for _ in range(HEIGHT)]
    for right, down in _moves(digest):
        x = min(WIDTH - 1, x + 1) if right else max(0, x - 1)
        y = min(HEIGHT - 1, y + 1) if down else max(0, y - 1)
        visits[y][x] += 1
    field = [[_COUNTS[min(count, len(_COUNTS) - 1)] for count in row] for row in visits]
    field[HEIGHT // 2][WIDTH // 2] = "S"
    field[y][x] = "E"
    return (_border(title), *(f"|{''.join(row)}|" for row in field), _border(footer))


def of_sha256(fingerprint: str, key: str = "") -> tuple[str, ...]:
    """The picture of what `ssh-keygen -l` prints behind `SHA256:`; empty where the text is no such value.

    `key` is the key as OpenSSH calls it, for example `ECDSA 384`.
    """
    try:
        digest = base64.b64decode(fingerprint + "=" * (-len(fingerprint) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ()
    return randomart(digest, key, "SHA256") if len(digest) == 32 else ()


def beside(left: Iterable[str], right: Iterable[str], gap: str = "   ") -> Iterator[str]:
    """Two pictures next to each other."""
    for one, other in zip(left, right, strict=True):
        yield one + gap + other


def _moves(digest: bytes) -> Iterator[tuple[bool, bool]]:
    """Four moves a byte, the lowest two bits first: to the right, and down."""
    for byte in digest:
        for shift in (0, 2, 4, 6):
            yield bool(byte >> shift & 1), bool(byte >> shift & 2)


def _border(text: str) -> str:
    """`text` in the middle; of a title that is too long the type alone, without its size."""
    named = f"[{text}]"
    if len(named) >= WIDTH:
        named = f"[{text.split(' ', maxsplit=1)[0]}]"
    if not text or len(named) >= WIDTH:
        named = ""
    left = (WIDTH - len(named)) // 2
    return f"+{'-' * left}{named}{'-' * (WIDTH - left - len(named))}+"
