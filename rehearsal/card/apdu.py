"""Command and response APDUs (ISO 7816-3 §12.1, short and extended) and the status words by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_SHORT_NE = 256
_EXTENDED_NE = 65_536


class SW(IntEnum):
    """Status words (ISO 7816-4 §5.1.3) that the card answers with."""

    OK = 0x9000
    END_OF_FILE = 0x6282
    NOTHING_CHANGED = 0x6300
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_METHOD_BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_FILE = 0x6986
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    WRONG_P1_P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    FILE_EXISTS = 0x6A89
    WRONG_OFFSET = 0x6B00
    INSTRUCTION_NOT_SUPPORTED = 0x6D00
    CLASS_NOT_SUPPORTED = 0x6E00
    UNKNOWN_FAILURE = 0x6F00


def tries_left(count: int) -> int:
    """The status word of a wrong PIN, or of a question for the counter: 63CX, or blocked at 0."""
    return 0x63C0 | count if count else SW.AUTHENTICATION_METHOD_BLOCKED


class Refused(Exception):
    """A command ends with this status word and no data."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(frozen=True)
class Command:
    """A command APDU. `expected` is Ne: how many bytes the reader is ready to take, 0 for none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int = 0

    @property
    def p1_p2(self) -> int:
        """P1 and P2 as one number, as file identifiers are given."""
        return self.p1 << 8 | self.p2


@dataclass(frozen=True)
class Response:
    """A response APDU."""

    data: bytes = b""
    status: int = SW.OK

    def encode(self) -> bytes:
        return self.data + self.status.to_bytes(2)


def parse_command(raw: bytes) -> Command:
    """Cases 1 to 4, short and extended; raises Refused(WRONG_LENGTH) for anything else."""
    if len(raw) < 4:
        raise Refused(SW.WRONG_LENGTH)
    header, body = raw[:4], raw[4:]
    data, expected = _body(body)
    return Command(header[0], header[1], header[2], header[3], data, expected)


def _body(body: bytes) -> tuple[bytes, int]:
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or _SHORT_NE
    if body[0]:
        return _data_and_le(body[1:], body[0], le_size=1, most=_SHORT_NE)
    if len(body) == 3:
        return b"", int.from_bytes(body[1:]) or _EXTENDED_NE
    if len(body) > 3 and (length := int.from_bytes(body[1:3])):
        return _data_and_le(body[3:], length, le_size=2, most=_EXTENDED_NE)
    raise Refused(SW.WRONG_LENGTH)


def _data_and_le(rest: bytes, length: int, *, le_size: int, most: int) -> tuple[bytes, int]:
    if len(rest) == length:
        return rest, 0
    if len(rest) == length + le_size:
        return rest[:length], int.from_bytes(rest[length:]) or most
    raise Refused(SW.WRONG_LENGTH)
