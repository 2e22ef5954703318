"""A file for its owner alone, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from runbook.errors import EnvironmentLacks, UsageError

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
"""What a file system says that has no hard links (link(2))."""


def write_private(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the file with mode 0600 under another name beside it, then give it its own; blocking.

    Without `overwrite` a file that came into being meanwhile is left as it is. Raises UsageError, EnvironmentLacks.
    """
    folder = path.absolute().parent
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    except OSError as error:
        raise EnvironmentLacks(f"nothing can be written there: {error.strerror}", where=str(folder)) from error
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(number)
        _name(Path(name), path, overwrite=overwrite)
    except OSError as error:
        raise EnvironmentLacks(f"it cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()


def _name(made: Path, path: Path, *, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(made, path)  # unlike rename(2), it never replaces what is there
        except OSError as error:
            if error.errno not in _NO_LINKS and not isinstance(error, FileExistsError):
                raise
            if os.path.lexists(path):
                raise UsageError("this file came into being meanwhile; nothing was written", where=str(path)) from None
        else:
            return
    made.replace(path)
