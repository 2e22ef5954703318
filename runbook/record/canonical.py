"""Canonical JSON (RFC 8785) of the values that records hold, which have no fractions (`records.plain`)."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import rfc8785

_ENCODE = msgspec.json.Encoder(order="sorted").encode
_BEYOND_BMP = re.compile(rb"[\xf0-\xf4]")
"""The first byte of a character beyond U+FFFF in UTF-8."""


def canonical(value: Any) -> bytes:
    """The canonical form of a plain value, UTF-8; raises ValueError or TypeError for what has none.

    msgspec writes the same bytes as the reference library, many times as fast, but for one thing: it sorts keys by
    code points, and RFC 8785 §3.2.3 by UTF-16 code units. The two orders differ only where a character is beyond
    U+FFFF, and such a value is left to the reference.
    """
    text = _ENCODE(value)
    if text.isascii() or not _BEYOND_BMP.search(text):
        return text
    return rfc8785.dumps(value)
