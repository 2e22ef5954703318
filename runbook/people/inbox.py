"""What witnesses leave for the driver: one small file each, in `approvals/` of the run's folder (docs/approval.md).

Whoever may write there is not trusted: files are read with limits, through no link, and their owner is what the
kernel says. A signature is judged elsewhere; notes and refusals carry the account that left them.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from runbook.errors import RunbookError
from runbook.text import clean, clean_line

FOLDER = "approvals"

LONGEST = 64 * 1024
"""Bytes of a file that is read."""

AT_ONCE = 16
"""Files taken at one look; more wait for the next."""

_SUFFIX = ".json"
_FORMAT = 1


class CannotLeave(RunbookError):
    """Nothing can be left for the driver from here."""


@dataclass(frozen=True, slots=True)
class Left:
    """One file, as its writer means it: nothing of it is verified."""

    kind: str
    """`joined`, `note`, `refusal` or `approval`."""
    witness: str
    """Their name in the site profile, as they say."""
    text: str = ""
    """The note, the reason of a refusal, the statement of an approval, or the host of one who joined."""
    signature: str = ""
    nonce: str = ""
    """Of the question that a refusal answers."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that lies there, and whose it is."""

    path: Path
    left: Left | None
    """None: it is no file of ours."""
    account: str
    """The owner of the file; it may be the driver's account."""


def leave(run_folder: Path, left: Left) -> None:
    """Put a file there, whole or not at all; raises CannotLeave. Blocking."""
    folder = run_folder / FOLDER
    name = secrets.token_hex(12)
    data = json.dumps({"v": _FORMAT, **asdict(left)}, ensure_ascii=False).encode("utf-8", "replace")
    if len(data) > LONGEST:
        raise CannotLeave(f"it is too long: {len(data)} bytes, and {LONGEST} are read")
    hidden = folder / f".{name}"
    try:
        fd = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            # The driver reads it as the group's or as its own: the umask must not stand in between.
            os.fchmod(fd, 0o640)
            os.write(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        hidden.rename(folder / f"{name}{_SUFFIX}")
    except OSError as error:
        with contextlib.suppress(OSError):
            hidden.unlink()
        raise CannotLeave(
            f"nothing can be left for the driver: {error.strerror}",
            where=clean_line(str(folder)),
            remedy="The site profile's `two_people.group` names the group whose members may answer.",
        ) from error


def prepare(run_folder: Path) -> None:
    """Make the folder, for this account alone; raises OSError. Blocking."""
    (run_folder / FOLDER).mkdir(mode=0o700, exist_ok=True)


def look(run_folder: Path) -> list[Found]:
    """The files that lie there, the oldest first, as many as are taken at once. Blocking."""
    try:
        with os.scandir(run_folder / FOLDER) as entries:
            names = sorted(
                (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in entries
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
            )
    except OSError:
        return []
    return [_read(run_folder / FOLDER / name) for _, name in names[:AT_ONCE]]


def remove(found: Found) -> None:
    """Take it away, once what it says is on record. Blocking."""
    with contextlib.suppress(OSError):
        found.path.unlink()


def _read(path: Path) -> Found:
    nothing = Found(path, None, "")
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return nothing
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_size > LONGEST:
            return nothing
        return Found(path, _parse(os.read(fd, LONGEST)), account_name(info.st_uid))
    except OSError:
        return nothing
    finally:
        os.close(fd)


def _parse(data: bytes) -> Left | None:
    try:
        said = json.loads(data)
        if said.pop("v") != _FORMAT or set(said) != {field.name for field in fields(Left)}:
            return None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    if not all(isinstance(value, str) for value in said.values()):
        return None
    kind = said["kind"]
    signed = kind == "approval"
    return Left(
        kind=kind,
        witness=clean_line(said["witness"], 100),
        # What is signed is judged byte by byte; everything else is only shown.
        text=said["text"] if signed else clean(said["text"], 4000),
        signature=said["signature"] if signed else "",
        nonce=clean_line(said["nonce"], 100),
    )


def account_name(uid: int | None = None) -> str:
    """The account's name by the system, not by the environment; its number where it has none."""
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"
