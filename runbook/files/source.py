"""The bytes and the text of a file that a person names, or a problem that says why not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runbook.files.document import split_lines
from runbook.files.problems import InvalidDocument, Problem

MAX_BYTES = 1 << 20

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> tuple[bytes, str]:
    """The bytes, and their text without a byte order mark; raises InvalidDocument."""
    raw = _bytes(path)
    return raw, _decode(path, raw)


def _bytes(path: Path) -> bytes:
    """The file's bytes; only a regular file is opened for reading, so that nothing can block."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "not a usable file name"
        raise _whole(path, f"cannot be opened: {reason}", "Give the path of a YAML file that you may read.") from error
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise _whole(path, "is a folder, not a file", "Give the path of the YAML file in it.")
        if not stat.S_ISREG(mode):
            raise _whole(path, "is not a regular file", "Save the text in a file and give its path.")
        with open(handle, "rb", closefd=False) as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _whole(path, f"cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)
    if len(raw) > MAX_BYTES:
        raise _whole(path, f"is larger than {MAX_BYTES // 1024} KiB", "Is it the file you meant?")
    return raw


def _whole(path: Path, message: str, suggestion: str = "") -> InvalidDocument:
    return InvalidDocument([Problem(path, 0, 0, message, suggestion)])


def _decode(path: Path, raw: bytes) -> str:
    if raw.startswith(_UTF_16):
        raise _whole(path, "is UTF-16, not UTF-8", "Save it as UTF-8.")
    body = raw.removeprefix(_BOM)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        before = split_lines(body[: error.start].decode())
        offset = error.start + len(raw) - len(body)
        message = f"byte {offset} (0x{body[error.start]:02x}) is not UTF-8"
        problem = Problem(path, len(before), len(before[-1]) + 1, message, "Save the file as UTF-8.")
        raise InvalidDocument([problem]) from None
