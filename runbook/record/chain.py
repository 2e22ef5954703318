"""One record of the journal as a line of bytes: sealed with salted leaves and a hash (docs/journal.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

import msgspec

from runbook.record.canonical import canonical
from runbook.record.records import LARGEST, Value

T = TypeVar("T")

VERSION = 1
"""The version of the record format, in every record as `v`."""

START = "0" * 64
"""What the first record has for the hash of the one before."""

SHORT = 20
"""Hex digits of the short head: 80 bits, so another journal with the same ones takes about 2^80 trials."""

SALT = 16
"""Random bytes of a salt, written in hex."""

MISSPELLED = "it is not spelled canonically: bytes were changed, added or removed"


class BrokenRecord(Exception):
    """A line that is not the record that was written; the text says in what way."""


class Record(msgspec.Struct, frozen=True):
    """A record as read: every part has been checked against its hash."""

    seq: int
    """1 for the first; the number of its line."""
    at: str
    """RFC 3339 in UTC with microseconds."""
    type: str
    prev: str
    hash: str
    """Hex SHA-256."""
    opened: bytes
    """The open values with their levels and salts: the JSON object in the line."""
    withheld: tuple[str, ...]
    """Fields of which only the digest is there."""

    @property
    def fields(self) -> dict[str, Any]:
        """The open values by name, taken from their bytes anew each time; raises BrokenRecord where they are none."""
        return {name: part.value for name, part in _read(_PARTS, self.opened).items()}


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of a record, in their order."""

    at: str
    hash: str
    leaves: msgspec.Raw
    open: dict[str, msgspec.Raw]
    prev: str
    seq: int
    type: str
    v: int


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    """What `open` holds of a field."""

    level: str
    salt: str
    value: Any


_LINE = msgspec.json.Decoder(_Line)
_LEAVES = msgspec.json.Decoder(dict[str, str])
_PARTS = msgspec.json.Decoder(dict[str, _Part])


def now() -> str:
    """The time as records write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def seal(seq: int, prev: str, type_: str, fields: Mapping[str, Value], at: str) -> tuple[bytes, str]:
    """The line of a new record, with its line feed, and its hash in hex.

    Canonical JSON is put together from canonical parts in the order of the keys, so that each value, which may be
    long, is canonicalised once and not three times.
    """
    leaves: list[str] = []
    opened: list[str] = []
    salts = os.urandom(SALT * len(fields)).hex()
    at_salt = 0
    for name in sorted(fields):  # names of fields are ASCII: the order of their UTF-16 code units
        level, value = fields[name]
        salt = salts[at_salt : at_salt + 2 * SALT]
        at_salt += 2 * SALT
        part = f'"level":"{str.__str__(level)}","salt":"{salt}","value":{canonical(value).decode()}}}'
        digest = _digest(f'{{"field":"{name}",{part}'.encode()).decode()
        leaves.append(f'"{name}":"{digest}"')
        opened.append(f'"{name}":{{{part}')
    frame = _Frame.of(at, b"{%b}" % ",".join(leaves).encode(), prev, seq, type_)
    sealed = frame.digest()
    return b"%b\n" % frame.line(sealed, ",".join(opened).encode()), sealed.decode()


def unseal(line: bytes) -> Record:
    """The record of a line (without its line feed), checked against its own hash; raises BrokenRecord.

    What is hashed are the bytes of the line themselves, and put together again from what was read they must be the
    line: so no byte is left that could differ from what was written. Whether the writer kept to the canonical form
    is another question (`spelled`).
    """
    read = _read(_LINE, line)
    if read.v != VERSION:
        raise BrokenRecord("it does not have the parts of a record")
    parts = [(name.encode(), bytes(part)) for name, part in read.open.items()]
    opened = b",".join([b'"%b":%b' % part for part in parts])
    digests = bytes(read.leaves)
    frame = _Frame.of(read.at, digests, read.prev, read.seq, read.type)
    if frame.line(read.hash.encode(), opened) != line:
        raise BrokenRecord(MISSPELLED)
    if frame.digest() != read.hash.encode():
        raise BrokenRecord("its content does not match its hash")
    leaves = [
        b'"%b":"%b"' % (key, sha256(b'{"field":"%b",%b' % (key, part[1:])).hexdigest().encode()) for key, part in parts
    ]
    withheld = () if b"{%b}" % b",".join(leaves) == digests else _withheld(read, leaves)
    return Record(read.seq, read.at, read.type, read.prev, read.hash, b"{%b}" % opened, withheld)


def _withheld(read: _Line, computed: Sequence[bytes]) -> tuple[str, ...]:
    """The fields whose value is not there; raises BrokenRecord where the others are not those of the leaves."""
    leaves = _read(_LEAVES, read.leaves)
    for name, leaf in zip(read.open, computed, strict=True):
        if name not in leaves:
            raise BrokenRecord(f"the value `{name}` was added")
        if leaf != f'"{name}":"{leaves[name]}"'.encode():
            raise BrokenRecord(f"the value `{name}` does not match its digest")
    withheld = tuple(name for name in leaves if name not in read.open)
    if [name for name in leaves if name not in withheld] != list(read.open):
        raise BrokenRecord("its values were moved")
    return withheld


def spelled(line: bytes) -> None:
    """Check that a line (without its line feed) is canonical JSON of values that records hold; raises BrokenRecord."""
    try:
        value = json.loads(line, parse_float=_no_float, parse_int=_whole, parse_constant=_no_float)
        spelling = canonical(value)
    except (ValueError, RecursionError) as error:
        raise BrokenRecord("it is not JSON as records are written") from error
    if spelling != line:
        raise BrokenRecord(MISSPELLED)


def follows(record: Record, seq: int, prev: str) -> None:
    """Check that the record is number `seq` and follows the hash `prev`; raises BrokenRecord."""
    if record.seq != seq:
        raise BrokenRecord(f"it is number {record.seq} where {seq} should be: records are missing, doubled or moved")
    if record.prev != prev:
        raise BrokenRecord("it does not follow the record before it")


def short_head(digest: str) -> str:
    """The head for paper: 20 hex digits in capitals, five groups of four, for example `3F9A 07C1 …`.

    Hex, because it is what the fingerprints on the same sheet are written in, has no O, I, S or Z to be taken
    for a digit, and can be compared with the file by eye.
    """
    digits = digest[:SHORT].upper()
    return " ".join(digits[start : start + 4] for start in range(0, SHORT, 4))


class _Frame(NamedTuple):
    """The bytes of a record around its hash and its open values."""

    first: bytes
    leaves: bytes
    last: bytes

    @classmethod
    def of(cls, at: str, leaves: bytes, prev: str, seq: int, type_: str) -> _Frame:
        last = f'"prev":"{prev}","seq":{seq},"type":"{type_}","v":{VERSION}}}'
        return cls(f'{{"at":"{at}",'.encode(), b'"leaves":%b,' % leaves, last.encode())

    def digest(self) -> bytes:
        """The record's hash in hex."""
        return _digest(b"%b%b%b" % self)

    def line(self, digest: bytes, opened: bytes) -> bytes:
        return b'%b"hash":"%b",%b"open":{%b},%b' % (self.first, digest, self.leaves, opened, self.last)


def _digest(content: bytes) -> bytes:
    return sha256(content).hexdigest().encode()


def _read(decoder: msgspec.json.Decoder[T], content: bytes | msgspec.Raw) -> T:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        raise BrokenRecord("it does not have the parts of a record") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BrokenRecord("it is not JSON as records are written") from error


def _whole(digits: str) -> int:
    number = int(digits)
    if not -LARGEST <= number <= LARGEST:
        raise ValueError("a number beyond 2^53-1")
    return number


def _no_float(digits: str) -> None:
    raise ValueError(f"a number that is not whole: {digits}")
