"""Reading small files that others made: bounded in size and time, never blocking, and each failure named."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from runbook.errors import StepError
from runbook.threads import in_thread

LIMIT = 1024 * 1024
"""Bytes; certificates, keys and fingerprints are a few thousand."""

DEADLINE = 10.0
"""Seconds; a stick that was pulled or a share that hangs answers never."""

SYMPTOMS: Mapping[str, str] = {
    "file missing": "There is no file of that name, or what it is a link to is not there.",
    "file empty": "The file is there and holds nothing.",
    "file unreadable": "The file is there and cannot be read: permissions, a loop of links, or the disk.",
    "file too large": "The file is far larger than what is expected there.",
}
"""The symptoms of FileProblem, for the kinds that read files."""


class FileProblem(StepError):
    """A file that could not be read; `symptom` is one of SYMPTOMS."""


async def read_file(path: Path, *, limit: int = LIMIT, deadline: float = DEADLINE) -> bytes:
    """The bytes of a regular file; raises FileProblem."""
    try:
        async with asyncio.timeout(deadline):
            data = await in_thread(lambda: _read(path, limit))
    except TimeoutError:
        raise FileProblem(
            f"reading took longer than {deadline:g} seconds",
            where=str(path),
            remedy="Look whether the stick or the share is still there, and mount it again.",
            symptom="file unreadable",
        ) from None
    if not data:
        raise FileProblem(
            "the file is empty", where=str(path), remedy="Copy it again from where it was made.", symptom="file empty"
        )
    return data


async def require_folder(path: Path, remedy: str) -> None:
    """Raise FileProblem with the symptom `folder missing` where there is no folder of that name."""
    state = await in_thread(lambda: _mode(path))
    if state is None or not stat.S_ISDIR(state):
        what = "there is no such folder" if state is None else f"this is {_sort_of(state)}, not a folder"
        raise FileProblem(what, where=str(path), remedy=remedy, symptom="folder missing")


def _mode(path: Path) -> int | None:
    """The type and permissions of what is there; None for nothing, or nothing that can be looked at."""
    with contextlib.suppress(OSError, ValueError):
        return path.stat().st_mode
    return None


def _read(path: Path, limit: int) -> bytes:
    try:
        # Neither a FIFO nor a terminal device may hold us up.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _explain(path, error) from None
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise FileProblem(
                f"this is {_sort_of(state.st_mode)}, not a file",
                where=str(path),
                remedy="Name the file itself.",
                symptom="file unreadable",
            )
        if state.st_size > limit:
            raise _too_large(path, state.st_size)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _explain(path, error) from None
    finally:
        os.close(handle)
    if len(data) > limit:
        raise _too_large(path, len(data))
    return data


def _too_large(path: Path, size: int) -> FileProblem:
    return FileProblem(
        f"the file is far too large: {size} bytes",
        where=str(path),
        remedy="Look whether another file took its name.",
        symptom="file too large",
    )


def _explain(path: Path, error: Exception) -> FileProblem:
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOENT, errno.ENOTDIR):
        if path.is_symlink():
            what = f"this is a link to {path.readlink()}, which does not exist"
        elif not path.parent.is_dir():
            what = f"the folder {path.parent} does not exist"
        else:
            what = "there is no such file"
        return FileProblem(what, where=str(path), remedy="Look at the folder and the name.", symptom="file missing")
    if number == errno.ELOOP:
        return FileProblem(
            "this link leads round in a circle",
            where=str(path),
            remedy="Replace the link with the file.",
            symptom="file unreadable",
        )
    reason = os.strerror(number) if number is not None else "the name cannot be that of a file"
    return FileProblem(
        f"cannot be read: {reason}",
        where=str(path),
        remedy="Correct the permissions, or copy the file again." if number in (errno.EACCES, errno.EPERM) else "",
        symptom="file missing" if number in (errno.ENAMETOOLONG, None) else "file unreadable",
    )


def _sort_of(mode: int) -> str:
    for test, name in (
        (stat.S_ISREG, "a file"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a disk"),
    ):
        if test(mode):
            return name
    return "something else"
