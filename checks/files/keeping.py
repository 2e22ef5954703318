"""A text kept under a name of this machine, without ever taking the name from another text."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runbook.errors import StepError

KEPT_SYMPTOMS: Mapping[str, str] = {
    "another text there": "A file of that name is there and holds something else; it is never overwritten.",
    "not written": "The file cannot be written: its folder is not there, permissions, or no space.",
}


class NotKept(StepError):
    """The text could not be put there; `symptom` is one of KEPT_SYMPTOMS."""


async def keep_text(path: Path, text: str) -> bool:
    """Put the text there as UTF-8, mode 0644, on the disk; False: it was there already. Raises NotKept."""
    return await asyncio.to_thread(_keep, path, text.encode())


def _keep(path: Path, content: bytes) -> bool:
    try:
        if os.path.lexists(path):
            return _same(path, content)
        fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        draft = Path(name)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o644)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)  # unlike a rename it takes no name away
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        return _same(path, content)
    except OSError as error:
        raise NotKept(
            f"it cannot be written: {error.strerror}",
            where=str(path),
            remedy="Make the folder, or name another one.",
            symptom="not written",
        ) from None
    return True


def _same(path: Path, content: bytes) -> bool:
    """False where it is there already; raises NotKept where something else is."""
    if path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content:
        return False
    raise NotKept(
        "something else is there already",
        where=str(path),
        remedy="Look at it; move it away, or name another file.",
        symptom="another text there",
    )
