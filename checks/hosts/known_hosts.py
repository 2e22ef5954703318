"""OpenSSH's known_hosts files: read, never written (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

MAX_FILE = 16 * 1024 * 1024
"""Bytes of one file that are read; no site comes near it."""


class Marker(StrEnum):
    """What an entry says of its key."""

    KEY = ""
    CERT_AUTHORITY = "@cert-authority"
    REVOKED = "@revoked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    path: Path
    line: int
    marker: Marker
    hosts: str
    """Patterns separated by commas, or one hashed name."""
    key_type: str
    blob: bytes
    """The public key as on the wire (RFC 4253 §6.6)."""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.blob)

    def matches(self, name: str) -> bool:
        """Whether the line is about the host of that name: `host` or `[host]:port`, in lower case."""
        return _matches(self.hosts, name)


def fingerprint(blob: bytes) -> str:
    """As ssh-keygen(1) shows it: `SHA256:` and unpadded base64."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse(text: str, path: Path) -> list[Entry]:
    """The entries of one file; what is no entry (comments, broken lines) is passed over, as OpenSSH does."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = Marker.KEY
        if fields[0].startswith("@"):
            if fields[0] not in tuple(Marker):
                continue
            marker = Marker(fields.pop(0))
        if len(fields) < 3:
            continue
        hosts, key_type, encoded = fields[:3]
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if _type_of(blob) == key_type:
            entries.append(Entry(path, number, marker, hosts, key_type, blob))
    return entries


def read_about(paths: Iterable[Path], names: Iterable[str]) -> list[Entry]:
    """The entries for hosts of these names in all files that can be read, in their order. It reads the disk."""
    wanted = tuple(names)
    entries: list[Entry] = []
    for path in paths:
        try:
            status = path.stat()
            known = _read(path, (status.st_mtime_ns, status.st_size, status.st_ino))
        except OSError:
            continue
        entries += [entry for entry in known if any(entry.matches(name) for name in wanted)]
    return entries


@lru_cache(maxsize=16)
def _read(path: Path, _state: tuple[int, int, int]) -> tuple[Entry, ...]:
    """Kept while the file stays the same: a fleet asks for each of its hosts."""
    with path.open("rb") as file:
        return tuple(parse(file.read(MAX_FILE).decode(errors="replace"), path))


def about(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The entries for the host of that name."""
    return [entry for entry in entries if entry.matches(name)]


def _type_of(blob: bytes) -> str:
    length = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + length].decode("ascii", errors="replace") if 0 < length <= len(blob) - 4 else ""


def _matches(hosts: str, name: str) -> bool:
    if hosts.startswith("|1|"):
        return _matches_hashed(hosts, name)
    found = False
    for pattern in hosts.lower().split(","):
        if _like(pattern.removeprefix("!"), name):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _like(pattern: str, name: str) -> bool:
    """`*` and `?` only: brackets stand for themselves, around a host that has a port."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), name) is not None


def _matches_hashed(hosts: str, name: str) -> bool:
    """HashKnownHosts: `|1|`, salt, `|`, HMAC-SHA1 of the name, both in base64."""
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hosts[3:].split("|"))
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
