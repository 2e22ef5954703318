"""The journal of a run: append-only, hash-chained, on disk before anything acts on it (design §8, docs/journal.md)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runbook.errors import JournalError, RunbookError
from runbook.event import Event
from runbook.paths import JOURNAL_NAME
from runbook.record import attachments
from runbook.record.attachments import Stored, sync_folder
from runbook.record.chain import START, BrokenRecord, Record, follows, now, seal, short_head, unseal
from runbook.record.events import JOURNALLED
from runbook.record.records import event_of, fields_of, redacted
from runbook.record.recovery import Recovered, damaged, recover
from runbook.record.runlock import RunLock
from runbook.record.writer import Writer
from runbook.secrets import Redactor


class Journal:
    """The one writer of a run's record.

    Made by `create`, or by `open` for a run that goes on. An `append` that returned is on the disk; one that raised
    left nothing behind.
    """

    def __init__(self, path: Path, fd: int, lock: RunLock, redactor: Redactor) -> None:
        self.path = path
        self._fd = fd
        self._lock = lock
        self._redactor = redactor
        self._seq = 0
        self._head = START
        self._size = 0
        self._identity = _identity(os.fstat(fd))
        self._broken = ""
        self._torn = False
        """A torn line is still there: it goes with the first record of this driver, which tells of it."""
        self._writer = Writer(self._append, "journal")

    @classmethod
    async def create(cls, folder: Path, redactor: Redactor) -> Journal:
        """Start the journal of a new run in `folder`, which is made (mode 0700; the file 0600).

        Raises JournalError when the folder cannot be written, already holds a journal, or is held by another driver.
        """
        return await asyncio.to_thread(cls._create, folder, redactor)

    @classmethod
    def _create(cls, folder: Path, redactor: Redactor) -> Journal:
        path = folder / JOURNAL_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            lock = RunLock.take(folder)
            try:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                fd = os.open(path, flags, 0o600)
                for made in (folder, folder.parent):
                    sync_folder(made)
            except OSError:
                lock.release()
                raise
        except OSError as error:
            raise _error(error, path) from error
        try:
            return cls(path, fd, lock, redactor)
        except BaseException:  # no memory, or no thread to write with
            path.unlink()
            os.close(fd)
            lock.release()
            raise

    @classmethod
    async def open(
        cls, folder: Path, redactor: Redactor, tell: Callable[[str], None] | None = None
    ) -> tuple[Journal, Recovered]:
        """Take up the journal of the run in `folder` where it ends, and what it says.

        Every record is verified first. A last line that was torn while it was written (`Recovered.cut` bytes) is
        cut off with the first `append`, which is to tell of it; any other damage raises JournalError naming the record,
        and so does a driver that is still alive. `tell` (in another thread) is told what has to be waited for.
        """
        return await asyncio.to_thread(cls._open, folder, redactor, tell)

    @classmethod
    def _open(cls, folder: Path, redactor: Redactor, tell: Callable[[str], None] | None) -> tuple[Journal, Recovered]:
        path = folder / JOURNAL_NAME
        lock: RunLock | None = None
        fd = -1
        try:
            flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            fd = os.open(path, flags)
            lock = RunLock.take(folder, tell)
            if not stat.S_ISREG(os.fstat(fd).st_mode) or not os.path.samestat(os.fstat(fd), path.lstat()):
                raise JournalError("this is not the file of a journal", where=str(path))
            with os.fdopen(fd, "rb", closefd=False) as file:
                found = recover(file, path)
            os.fsync(fd)  # also for what a driver that was killed wrote and had not synced yet
        except (OSError, RunbookError) as error:
            if lock is not None:
                lock.release()
            if fd >= 0:
                os.close(fd)
            if isinstance(error, OSError):
                raise _error(error, path, "opened") from error
            raise
        journal = cls(path, fd, lock, redactor)
        journal._seq, journal._head, journal._size = found.events_count, found.head, found.size
        journal._torn = found.cut > 0
        return journal, found

    @property
    def head(self) -> str:
        """The hash of the last record in hex; zeros before the first."""
        return self._head

    @property
    def head_short(self) -> str:
        """The head as it is written on paper (`chain.short_head`)."""
        return short_head(self._head)

    async def append(self, event: Event) -> Event:
        """Write one event; it is on the disk when this returns.

        Returns the event as it was recorded, that is without any known secret: this is what may be shown. Raises
        JournalError when it could not be written, and then the journal is as it was before; ValueError for an
        event that no journal holds.
        """
        if event.type not in JOURNALLED:
            raise ValueError(f"{event.type} is not journalled")
        if self._fd < 0:
            raise JournalError("the journal is closed", where=str(self.path))
        return await self._writer.do(event)

    async def store(self, content: bytes | Path | Iterable[bytes]) -> Stored:
        """Store `content` as an attachment, without any known secret; it is on the disk when this returns.

        Raises JournalError. The `Attached` event that names it is the caller's to append.
        """
        return await asyncio.to_thread(attachments.store, self.path.parent, content, self._redactor)

    def _append(self, event: Event) -> Event:
        fields = fields_of(event)
        shown = redacted(fields, self._redactor)
        line, digest = seal(self._seq + 1, self._head, event.type, shown, now())
        self._write(line)
        self._seq, self._head, self._size = self._seq + 1, digest, self._size + len(line)
        if shown is fields:
            return event
        return event_of(event.type, {name: field.value for name, field in shown.items()})

    def _write(self, line: bytes) -> None:
        if self._broken:
            raise JournalError(
                self._broken, where=str(self.path), remedy="Go on with `runbook resume` once the cause is gone."
            )
        try:
            if self._torn:
                os.ftruncate(self._fd, self._size)
                self._torn = False
            if os.fstat(self._fd).st_size != self._size:
                raise JournalError("the journal was changed by somebody else", where=str(self.path))
            _write_all(self._fd, line)
            os.fsync(self._fd)
            if _identity(self.path.stat()) != self._identity:
                raise FileNotFoundError(errno.ENOENT, "the journal was replaced while the run went on")
        except OSError as error:
            self._cut()
            raise _error(error, self.path) from error

    def _cut(self) -> None:
        """Take back what a failed write left, so that the file ends with the last whole record."""
        try:
            os.ftruncate(self._fd, self._size)
            os.fsync(self._fd)
        except OSError as error:
            self._broken = f"the journal cannot be repaired: {error.strerror}"

    async def close(self) -> None:
        """Close the file and free the lock; harmless when done twice."""
        await self._writer.end()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = -1
        self._lock.release()


def read_records(path: Path) -> Iterator[Record]:
    """The records of a journal in order, each checked against the one before; a torn last line is left out.

    Raises JournalError when the file cannot be read or a whole line is not the record that was written.
    """
    head = START
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                record = unseal(line[:-1])
                follows(record, number, head)
                head = record.hash
                yield record
    except OSError as error:
        raise JournalError(f"it cannot be read: {error.strerror}", where=str(path)) from error
    except BrokenRecord as error:
        raise damaged(path, number, error) from error


def read_events(path: Path) -> Iterator[Event]:
    """The events of a journal in order; raises JournalError as `read_records`, UnreadableRecord as `event_of`."""
    for record in read_records(path):
        yield event_of(record.type, record.fields)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _write_all(fd: int, data: bytes) -> None:
    written = 0
    while written < len(data):
        written += os.write(fd, data[written:])


_WHOLE = "What was to be recorded now was not done; the record up to here is whole."


def _error(error: OSError, path: Path, done: str = "written") -> JournalError:
    remedy = {
        errno.ENOSPC: f"Free space on that disk, then go on with `runbook resume`. {_WHOLE}",
        errno.EDQUOT: f"Free space within your quota, then go on with `runbook resume`. {_WHOLE}",
        errno.EROFS: "The disk is mounted read-only; set XDG_STATE_HOME to a folder that can be written.",
        errno.EACCES: "Set XDG_STATE_HOME to a folder that you can write.",
        errno.EPERM: "Set XDG_STATE_HOME to a folder that you can write.",
        errno.EEXIST: "Each run has a folder of its own; start the run again.",
        errno.ENOENT: "The run's folder is gone; nothing may go on without the record.",
    }.get(error.errno or 0, "Nothing may go on without the record.")
    return JournalError(f"the journal cannot be {done}: {error.strerror}", where=str(path), remedy=remedy)
