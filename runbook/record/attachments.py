"""Files stored beside a journal under the hash of their bytes, without any secret (docs/journal.md)."""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import JournalError
from runbook.secrets import Redactor

FOLDER = "attachments"
"""Beside the journal; mode 0700, each file 0600 and named by the SHA-256 of its bytes in small hex digits."""

RUNBOOK = "runbook"
"""The name of the attachment that holds the runbook's file."""

SITE = "site"
"""The name of the attachment that holds the site profile's file."""

ROLLBACK = "rollback"
"""The name of the attachment that holds what a roll-back walks: a runbook as JSON, made from the one of the run."""

PIECE = 64 * 1024
"""Bytes read and written at once."""

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is on the disk."""

    sha256: str
    """Hex, of the bytes as stored."""
    size: int
    """Bytes."""


def store(folder: Path, content: bytes | Path | Iterable[bytes], redactor: Redactor) -> Stored:
    """Store `content` (bytes, a file, or pieces) in the run's `folder` with every known secret removed; for a thread.

    It is on the disk under its name when this returns, or not there at all. A secret that is split over pieces is
    removed too; all other bytes stay as they are, also those that are no UTF-8. Raises JournalError where it cannot
    be stored or, for a path, read.
    """
    place = folder / FOLDER
    partial = place / f".partial-{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        _make(place)
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                for piece in _redacted(_pieces(content), redactor):
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(fd)
            partial.rename(place / digest.hexdigest())
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        sync_folder(place)
    except OSError as error:
        raise JournalError(
            f"an attachment cannot be stored: {error.strerror}",
            where=str(error.filename or place),
            remedy="Free space there, or see that the folder can be written, then go on with `runbook resume`.",
        ) from error
    return Stored(digest.hexdigest(), size)


def load(folder: Path, sha256: str) -> bytes:
    """The bytes of an attachment; raises JournalError where it is not there or not what was stored."""
    try:
        pieces = list(read(folder, sha256))
    except OSError as error:
        raise JournalError(f"an attachment is missing: {error.strerror}", where=str(path_of(folder, sha256))) from error
    content = b"".join(pieces)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise JournalError("an attachment is not the one that was stored", where=str(path_of(folder, sha256)))
    return content


def wrong(folder: Path, sha256: str, size: int) -> str:
    """What is wrong with a stored file, in words; empty: nothing. One piece of it is in memory at a time."""
    if not _HASH.fullmatch(sha256):
        return "its hash is none"
    digest, found = hashlib.sha256(), 0
    try:
        for piece in read(folder, sha256):
            digest.update(piece)
            found += len(piece)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if digest.hexdigest() != sha256:
        return "its bytes are not those that were stored"
    return "" if found == size else f"it has {found} bytes, and the record says {size}"


def read(folder: Path, sha256: str) -> Iterator[bytes]:
    """The bytes of a stored file, unchecked, piece by piece; raises OSError, also where it is no plain file."""
    fd = os.open(path_of(folder, sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(0, "it is no plain file")
        while piece := file.read(PIECE):
            yield piece


def names(folder: Path) -> list[str]:
    """The names of all files stored in the run's folder, sorted; those without a name yet begin with a dot."""
    try:
        return sorted(path.name for path in (folder / FOLDER).iterdir())
    except FileNotFoundError:
        return []


def path_of(folder: Path, sha256: str) -> Path:
    """Where an attachment of the run in `folder` lies."""
    return folder / FOLDER / sha256


def sync_folder(folder: Path) -> None:
    """See that the names in a folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make(place: Path) -> None:
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        if place.is_symlink():
            raise OSError(0, "a link stands where the folder should be", str(place)) from None
    else:
        sync_folder(place.parent)


def _pieces(content: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(content, Path):
        with content.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
        return
    held = bytearray()
    for part in (content,) if isinstance(content, bytes) else content:
        held += part
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    yield bytes(held)


def _redacted(pieces: Iterable[bytes], redactor: Redactor) -> Iterator[bytes]:
    """As text, in which each byte that is no UTF-8 stands for itself and comes out as it went in."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    stream = redactor.stream()
    for piece in pieces:
        yield _bytes(stream.feed(decoder.decode(piece)))
    yield _bytes(stream.feed(decoder.decode(b"", final=True)))
    yield _bytes(stream.finish())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
