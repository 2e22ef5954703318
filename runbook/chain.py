"""One record of the journal as a line of bytes: sealed with salted leaves and a hash (docs/journal.md)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from runbook.records import LARGEST, Value

VERSION = 1
"""The version of the record format, in every record as `v`."""

START = "0" * 64
"""What the first record has for the hash of the one before."""

SHORT = 20
"""Hex digits of the short head: 80 bits, so another journal with the same ones takes about 2^80 trials."""

_KEYS = frozenset({"at", "hash", "leaves", "open", "prev", "seq", "type", "v"})
_OPEN_KEYS = frozenset({"level", "salt", "value"})


class BrokenRecord(Exception):
    """A line that is not the record that was written; the text says in what way."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: every part has been checked against its hash."""

    seq: int
    """1 for the first; the number of its line."""
    at: str
    """RFC 3339 in UTC with microseconds."""
    type: str
    prev: str
    hash: str
    """Hex SHA-256."""
    fields: Mapping[str, Any]
    """The open values."""
    withheld: tuple[str, ...]
    """Fields of which only the digest is there."""


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
    for name in sorted(fields):  # names of fields are ASCII: this is the order of their UTF-16 code units
        level, salt = fields[name].level.value, secrets.token_hex(16)
        part = f'"level":"{level}","salt":"{salt}","value":{rfc8785.dumps(fields[name].value).decode()}}}'
        digest = hashlib.sha256(f'{{"field":"{name}",{part}'.encode()).hexdigest()
        leaves.append(f'"{name}":"{digest}"')
        opened.append(f'"{name}":{{{part}')
    first, second = f'{{"at":"{at}",', f'"leaves":{{{",".join(leaves)}}},'
    last = f'"prev":"{prev}","seq":{seq},"type":"{type_}","v":{VERSION}}}'
    digest = hashlib.sha256(f"{first}{second}{last}".encode()).hexdigest()
    line = f'{first}"hash":"{digest}",{second}"open":{{{",".join(opened)}}},{last}\n'
    return line.encode(), digest


def unseal(line: bytes) -> Record:
    """The record of a line (without its line feed), checked against its own hash; raises BrokenRecord."""
    record = _parse(line)
    opened = record.pop("open")
    if _digest({key: value for key, value in record.items() if key != "hash"}) != record["hash"]:
        raise BrokenRecord("its content does not match its hash")
    for name, part in opened.items():
        if name not in record["leaves"]:
            raise BrokenRecord(f"the value `{name}` was added")
        if not isinstance(part, dict) or set(part) != _OPEN_KEYS or _leaf(name, part) != record["leaves"][name]:
            raise BrokenRecord(f"the value `{name}` does not match its digest")
    return Record(
        seq=record["seq"],
        at=record["at"],
        type=record["type"],
        prev=record["prev"],
        hash=record["hash"],
        fields={name: part["value"] for name, part in opened.items()},
        withheld=tuple(name for name in record["leaves"] if name not in opened),
    )


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


def _parse(line: bytes) -> dict[str, Any]:
    """The object of a line that has exactly a record's keys and is spelled canonically."""
    try:
        record = json.loads(line, parse_float=_no_float, parse_int=_whole, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise BrokenRecord("it is not JSON as records are written") from error
    if not isinstance(record, dict) or set(record) != _KEYS or record["v"] != VERSION:
        raise BrokenRecord("it does not have the parts of a record")
    kinds = {"at": str, "leaves": dict, "open": dict, "prev": str, "seq": int, "type": str}
    if not all(isinstance(record[key], kind) for key, kind in kinds.items()):
        raise BrokenRecord("it does not have the parts of a record")
    if _canonical(record) != line:
        raise BrokenRecord("it is not spelled canonically: bytes were changed, added or removed")
    return record


def _leaf(name: str, part: Mapping[str, Any]) -> str:
    return _digest({"field": name, "level": part["level"], "salt": part["salt"], "value": part["value"]})


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: Any) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise BrokenRecord("it holds a value that no record can hold") from error


def _whole(digits: str) -> int:
    number = int(digits)
    if not -LARGEST <= number <= LARGEST:
        raise ValueError("a number beyond 2^53-1")
    return number


def _no_float(digits: str) -> None:
    raise ValueError(f"a number that is not whole: {digits}")
