"""What the card remembers without power: one file, replaced as a whole and synced before the card goes on.

The file is a line that says what it is (format, version, SHA-256 of the rest) and a line of JSON. A counter that
was written is on disk when the card answers, so killing the card at any moment gives no try back.
"""

from __future__ import annotations

import contextlib
import copy
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Annotated

import msgspec

from rehearsal.card.errors import CardStateUnusable

FORMAT = "runbook rehearsal card"
VERSION = 1

Serial = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{4}[0-9]{7}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Counter = Annotated[int, msgspec.Meta(ge=0, le=15)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


class PinState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A PIN as salted hash, its tries left, its limit, and how often it was compared in the card's life."""

    salt: bytes
    digest: bytes
    tries: Counter
    limit: Counter
    checks: Count = 0


class KeyEncryptionKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The DKEK: how many shares it has, how many are still to come, and the sum (XOR) of those that came."""

    shares: Byte = 0
    outstanding: Byte = 0
    value: bytes = bytes(32)


class PublicKeyAuthentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Quorum: how many public keys there are to be, and how many of them must authenticate."""

    total: Byte
    required: Byte


class CardState(msgspec.Struct, forbid_unknown_fields=True):
    """The whole card. `files` is by file identifier (four hex digits), `keys` by key reference, both oldest first.

    `options` are the two bytes of INITIALIZE DEVICE; private keys are PKCS#8 in the clear: this is a rehearsal. With
    `pin_pad` the user PIN is typed on a pad of its own; a `foreign` card is of another maker and knows no applet.
    """

    serial: Serial
    device_key: bytes
    files: dict[str, bytes]
    keys: dict[Byte, bytes] = {}
    options: bytes = b"\x00\x00"
    applet_version: tuple[Byte, Byte] = (6, 6)
    user_pin: PinState | None = None
    so_pin: PinState | None = None
    dkek: KeyEncryptionKey = KeyEncryptionKey()
    public_key_authentication: PublicKeyAuthentication | None = None
    pin_pad: bool = False
    foreign: bool = False


class _Header(msgspec.Struct):
    format: str
    version: int
    sha256: str


class StateFile:
    """The state file, held by one process; mode 0600. A context manager.

    `state` is what the card works on, `on_disk` what a power cut would leave of its PINs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None
        self.state = self._hold_and_read()
        self.on_disk = copy.copy(self.state)

    def __enter__(self) -> StateFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self._path

    def save(self) -> None:
        """Replace the file and return once the new one is on disk."""
        write(self._path, self.state)
        self.on_disk = copy.copy(self.state)

    def close(self) -> None:
        """Let another process have the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold_and_read(self) -> CardState:
        # The file itself is replaced by each write, so what is locked is a neighbour that stays.
        try:
            self._lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise CardStateUnusable(
                "the card is already in use by another process",
                where=str(self._path),
                remedy="End that process, or use a state file of its own.",
            ) from error
        except OSError as error:
            raise CardStateUnusable(f"the folder cannot be used: {error.strerror}", where=str(self._path)) from error
        try:
            return read(self._path)
        except CardStateUnusable:
            self.close()
            raise


def read(path: Path) -> CardState:
    """The state in the file; raises CardStateUnusable."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CardStateUnusable(
            f"the card's state cannot be read: {error.strerror}",
            where=str(path),
            remedy="Make a card first; the rehearsal does that by itself.",
        ) from error
    first, _newline, body = raw.partition(b"\n")
    try:
        header = msgspec.json.decode(first, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _corrupt(path, "it does not begin as a card's state does") from error
    if header.format != FORMAT:
        raise _corrupt(path, "it does not begin as a card's state does")
    if header.version > VERSION:
        raise CardStateUnusable(
            f"the card's state is of version {header.version}, this program knows version {VERSION}",
            where=str(path),
            remedy="Use the program that wrote it, or make a new card.",
        )
    if hashlib.sha256(body).hexdigest() != header.sha256:
        raise _corrupt(path, "its contents do not match its checksum")
    try:
        return msgspec.json.decode(body, type=CardState)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _corrupt(path, str(error)) from error


def write(path: Path, state: CardState) -> None:
    """Replace the file with this state, atomically and synced; the caller is its only writer."""
    body = msgspec.json.encode(state)
    header = _Header(FORMAT, VERSION, hashlib.sha256(body).hexdigest())
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()  # a killed card may have left one behind
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(msgspec.json.encode(header) + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _corrupt(path: Path, reason: str) -> CardStateUnusable:
    return CardStateUnusable(
        f"the card's state is corrupt: {reason}", where=str(path), remedy="Remove the file and make a new card."
    )
