"""The program itself, as a run's header names it (docs/journal.md, The program)."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

DISTRIBUTION = "hsm-runbook"

PACKAGES = ("checks", "rehearsal", "runbook", "screens")
"""The folders that are the program; they lie side by side, installed or not."""


def program_version() -> str:
    """Of the installed distribution."""
    return _version(DISTRIBUTION)


@cache
def program_sha256() -> str:
    """The hash of the program's own files, in hex; takes some 20 ms the first time.

    It is that of what `sha256sum` prints of all files in `PACKAGES`, sorted by the bytes of their paths, but for
    `__pycache__`. An editable installation and a wheel of the same version may differ by the runbooks shipped with it.
    """
    root = Path(__file__).resolve().parents[1]
    lines = [f"{_sha256(root / name)}  {name}\n" for name in sorted(_files(root))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@cache
def versions() -> Mapping[str, str]:
    """Python and every library the program is declared to need, by name."""
    try:
        declared = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        declared = []
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in declared if "extra ==" not in line]
    return {"python": platform.python_version(), **{name: _version(name) for name in sorted(names)}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _files(root: Path) -> Iterator[str]:
    for package in PACKAGES:
        for path in (root / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
