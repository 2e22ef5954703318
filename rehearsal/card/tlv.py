"""BER-TLV (ISO 7816-4 §5.2.2) with asn1crypto's parser, which reads and writes tags of any class and length.

Tags are written as the standards print them: 0x53, 0x7F21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from asn1crypto import parser

_LONG_TAG = 0x1F


class MalformedTlv(ValueError):
    """The bytes are not a series of complete data objects."""


@dataclass(frozen=True)
class Tlv:
    """One data object: its tag as printed, its value, and its whole encoding."""

    tag: int
    value: bytes
    encoded: bytes

    def children(self) -> list[Tlv]:
        """The data objects inside a constructed one; raises MalformedTlv."""
        return list(parse(self.value))


def encode(tag: int, *values: bytes) -> bytes:
    """One data object whose value is the concatenation of `values`."""
    raw = tag.to_bytes((tag.bit_length() + 7) // 8 or 1)
    number = raw[0] & _LONG_TAG
    if number == _LONG_TAG:
        number = 0
        for byte in raw[1:]:
            number = number << 7 | byte & 0x7F
    encoded: bytes = parser.emit(raw[0] >> 6, raw[0] >> 5 & 1, number, b"".join(values))
    return encoded


def parse(data: bytes) -> Iterator[Tlv]:
    """The data objects one after another; raises MalformedTlv."""
    while data:
        try:
            _class, _method, _number, header, value, trailer = parser.parse(data)
        except ValueError as error:
            raise MalformedTlv(str(error)) from error
        length = len(header) + len(value) + len(trailer)
        yield Tlv(_printed_tag(header), value, data[:length])
        data = data[length:]


def find(data: bytes, tag: int) -> bytes | None:
    """The value of the first data object with this tag; raises MalformedTlv."""
    return next((item.value for item in parse(data) if item.tag == tag), None)


def _printed_tag(header: bytes) -> int:
    size = 1
    if header[0] & _LONG_TAG == _LONG_TAG:
        while header[size] & 0x80:
            size += 1
        size += 1
    return int.from_bytes(header[:size])
