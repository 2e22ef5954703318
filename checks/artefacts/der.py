"""The outline of a DER value: which structure it is, from its tags (X.690) and not from what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_EXPLICIT_0 = 0xA0
_CV_CERTIFICATE = 0x7F21
_CV_AUTHENTICATION = 0x67
"""A request for a CV certificate that an outer signature endorses."""
_PKCS7_ARC = bytes.fromhex("2a864886f70d0107")
"""1.2.840.113549.1.7"""

_MAX_CHILDREN = 16


class Shape(Enum):
    """The structures told apart."""

    CERTIFICATE = auto()
    REQUEST = auto()
    CRL = auto()
    SPKI = auto()
    RSA_PUBLIC = auto()
    PRIVATE = auto()
    """PKCS#8 (also encrypted), PKCS#1 or SEC 1."""
    PKCS7 = auto()
    PKCS12 = auto()
    CV_CERTIFICATE = auto()
    TRUNCATED = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Element:
    """Tag and contents; `whole` is false where the data ends before the contents do."""

    tag: int
    content: bytes
    whole: bool
    end: int
    """Where the next element would begin."""


def element(data: bytes, start: int = 0) -> Element | None:
    """The element at `start`, or None where there is no definite-length header of at most 4 length bytes."""
    if len(data) < start + 2:
        return None
    tag, position = data[start], start + 1
    if tag & 0x1F == 0x1F:
        tag, position = tag << 8 | data[position], position + 1
        if tag & 0x80 or len(data) <= position:
            return None
    length, position = data[position], position + 1
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or len(data) < position + count:
            return None
        length, position = int.from_bytes(data[position : position + count], "big"), position + count
    end = position + length
    return Element(tag, data[position:end], end <= len(data), end)


def children(content: bytes) -> list[Element]:
    """The elements inside a constructed one, the first few of them; stops at what is none."""
    found: list[Element] = []
    position = 0
    while position < len(content) and len(found) < _MAX_CHILDREN:
        child = element(content, position)
        if child is None or not child.whole:
            break
        found.append(child)
        position = child.end
    return found


def shape(data: bytes) -> Shape | None:
    """The structure of `data`; None where it does not begin like one."""
    outer = element(data)
    if outer is None or outer.tag not in (_SEQUENCE, _CV_CERTIFICATE, _CV_AUTHENTICATION):
        return None
    if not outer.whole:
        # Any text that begins with `0` looks a little like a sequence: the first thing inside has to as well.
        inner = element(outer.content)
        known = outer.tag == _CV_CERTIFICATE or (inner is not None and inner.tag in (_SEQUENCE, _INTEGER, _OID))
        return Shape.TRUNCATED if known else None
    if outer.tag == _CV_CERTIFICATE:
        return Shape.CV_CERTIFICATE
    inside = children(outer.content)
    if outer.tag == _CV_AUTHENTICATION:
        return Shape.CV_CERTIFICATE if inside and inside[0].tag == _CV_CERTIFICATE else None
    # Trailing line ends are common where somebody edited a file; anything more is not the structure.
    if data[outer.end :].strip(b"\r\n"):
        return None
    return _sequence(inside)


def _sequence(inside: list[Element]) -> Shape | None:
    tags = [child.tag for child in inside]
    match tags:
        case [0x30, 0x30, 0x03]:
            return _signed(inside[0])
        case [0x30, 0x03]:
            return Shape.SPKI
        case [0x30, 0x04]:
            return Shape.PRIVATE if _starts_with_oid(inside[0]) else Shape.OTHER
        case [0x06, 0xA0] | [0x06]:
            return Shape.PKCS7 if inside[0].content.startswith(_PKCS7_ARC) else Shape.OTHER
        case [0x02, 0x30, 0x04, *_]:
            return Shape.PRIVATE
        case [0x02, 0x30, *_]:
            return Shape.PKCS12 if inside[0].content == b"\x03" and _starts_with_oid(inside[1]) else Shape.OTHER
        case [0x02, 0x04, *_]:
            return Shape.PRIVATE if inside[0].content == b"\x01" else Shape.OTHER
        case [0x02, 0x02]:
            return Shape.RSA_PUBLIC if len(inside[0].content) >= 64 else Shape.OTHER
        case [0x02, 0x02, 0x02, 0x02, 0x02, 0x02, *_]:
            return Shape.PRIVATE
        case []:
            return None
        case _:
            return Shape.OTHER


def _signed(body: Element) -> Shape:
    """Certificate, request and revocation list are all body, algorithm, signature."""
    tags = [child.tag for child in children(body.content)]
    match tags:
        case [0xA0, 0x02, 0x30, *_] | [0x02, 0x30, 0x30, 0x30, 0x30, 0x30, *_]:
            return Shape.CERTIFICATE
        case [0x02, 0x30, 0x30, 0xA0, *_] | [0x02, 0x30, 0x30]:
            return Shape.REQUEST
        case [0x02, 0x30, 0x30, 0x17 | 0x18, *_] | [0x30, 0x30, 0x17 | 0x18, *_]:
            return Shape.CRL
        case _:
            return Shape.OTHER


def _starts_with_oid(sequence: Element) -> bool:
    inner = element(sequence.content)
    return inner is not None and inner.tag == _OID
