"""A volume's snapshot on this machine: the archive as the engine gave it, and its hash beside it (sha256sum(1))."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

from checks.containers.tree import listing
from checks.evidence.containers import VolumeEntry
from runbook.errors import StepError

_PIECE: Final = 1 << 20

T = TypeVar("T")

SYMPTOMS: Mapping[str, str] = {
    "snapshot there": "A file of that name is there already; no snapshot is ever overwritten.",
    "snapshot not written": "The snapshot cannot be written on this machine: permissions, or no space.",
    "snapshot missing": "There is no such snapshot, or not its hash, or they cannot be read.",
    "snapshot damaged": "The snapshot is not what it was when it was made, or it is none.",
}


class SnapshotProblem(StepError):
    """The file on this machine; `symptom` is one of SYMPTOMS."""


def hash_file(path: Path) -> Path:
    """Where the snapshot's hash is."""
    return path.with_name(f"{path.name}.sha256")


class Draft:
    """A snapshot that is being written, under a hidden name until it is right."""

    def __init__(self, path: Path) -> None:
        """Raises SnapshotProblem."""
        if os.path.lexists(path):
            raise SnapshotProblem(
                "a file of that name is there already",
                where=str(path),
                remedy="Move it away, or give another name.",
                symptom="snapshot there",
            )
        self._path = path
        with _written(path):
            # Of a program that was killed: it holds what the volume holds, and nobody would look for it.
            for left in path.parent.glob(f".{glob.escape(path.name)}.????????"):
                left.unlink()
            fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        # No bare descriptor: a thread that still writes when the step is cancelled must not write to another file.
        self._file = os.fdopen(fd, "wb")
        self._draft = Path(name)

    def write(self, pieces: Iterable[bytes]) -> str:
        """All of it, to the disk; SHA-256 in hex. Raises SnapshotProblem, and whatever the pieces raise."""
        hashed = hashlib.sha256()
        for piece in pieces:
            hashed.update(piece)
            with _written(self._path):
                self._file.write(piece)
        with _written(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
        return hashed.hexdigest()

    def entries(self) -> tuple[VolumeEntry, ...]:
        """What is in it, read back."""
        return entries_of(self._draft)

    def keep(self, sha256: str) -> None:
        """Give it its name, the hash first. Raises SnapshotProblem."""
        with _written(self._path):
            hashes = hash_file(self._path)
            fd = os.open(hashes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(f"{sha256}  {self._path.name}\n")
                file.flush()
                os.fsync(fd)
            os.link(self._draft, self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """Remove the hidden name."""
        with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
            self._file.close()
        with contextlib.suppress(OSError):
            self._draft.unlink()


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SnapshotProblem(
            f"it cannot be written: {error.strerror}",
            where=str(path),
            remedy="Look at the folder's permissions and at its space.",
            symptom="snapshot not written",
        ) from None


def verified(path: Path, sha256: str) -> tuple[str, tuple[VolumeEntry, ...]]:
    """Its hash and what is in it, where it has that hash, or the one beside it. Raises SnapshotProblem."""
    expected = sha256.lower() or _read(path, lambda: _noted(path))
    found = _read(path, lambda: _hash(path))
    if found != expected:
        raise SnapshotProblem(
            f"its SHA-256 is {found}, expected {expected}",
            where=str(path),
            remedy="Do not use it. Look for another copy.",
            symptom="snapshot damaged",
        )
    return found, _read(path, lambda: entries_of(path))


def entries_of(path: Path) -> tuple[VolumeEntry, ...]:
    """What is in a snapshot. Raises SnapshotProblem for what is none."""
    try:
        with path.open("rb") as file:
            return listing(iter(lambda: file.read(_PIECE), b""))
    except ValueError as error:
        raise SnapshotProblem(str(error), where=str(path), symptom="snapshot damaged") from None


def _noted(path: Path) -> str:
    return hash_file(path).read_text().split()[0].lower()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise SnapshotProblem(
            f"the snapshot or its hash cannot be read: {getattr(error, 'strerror', None) or 'there is no hash in it'}",
            where=str(path),
            remedy="Correct `file`, or give `sha256`.",
            symptom="snapshot missing",
        ) from None
