"""What a site profile can name and this machine shows: PKCS#11 modules and the hosts that the user's ssh knows.

Blocking: from async code, call through `asyncio.to_thread`.
"""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator
from pathlib import Path

_OPENSC = "opensc-pkcs11.so"
_MODULES = (_OPENSC, "libsc-hsm-pkcs11.so", "libykcs11.so", "softhsm/libsofthsm2.so", "libsofthsm2.so")
"""Modules of tokens, the likelier ones first."""

_FOLDERS = ("/usr/lib64/pkcs11", "/usr/lib64", "/usr/lib/*-linux-*", "/usr/lib", "/usr/lib/pkcs11", "/usr/local/lib")
"""Where distributions put them: RHEL, Debian, Arch, and what was built here."""

_MOST_FILES = 64
"""Files of an ssh configuration that are read; one that includes itself ends here."""


def pkcs11_modules() -> list[str]:
    """Paths of PKCS#11 modules that exist here, the likelier ones first; one path for each file."""
    found: dict[Path, str] = {}
    for name in _MODULES:
        for path in _placed(name):
            found.setdefault(Path(path).resolve(), path)
    return list(found.values())


def opensc_module() -> Path | None:
    """OpenSC's PKCS#11 module on this machine."""
    return next(map(Path, _placed(_OPENSC)), None)


def _placed(name: str) -> Iterator[str]:
    """Where a module of that name is, in the order of the folders."""
    for folder in _FOLDERS:
        yield from (path for path in _matching(f"{folder}/{name}") if Path(path).is_file())


def ssh_aliases(config: Path | None = None) -> list[str]:
    """The names of `Host` lines of an ssh_config(5) file, by default the user's own, without patterns; in order."""
    names: dict[str, None] = {}
    waiting = [config or Path.home() / ".ssh" / "config"]
    for _ in range(_MOST_FILES):
        if not waiting:
            break
        for keyword, words in _settings(waiting.pop(0)):
            if keyword == "host":
                names |= dict.fromkeys(word for word in words if not set(word) & set("*?!"))
            elif keyword == "include":
                waiting += [Path(path) for word in words for path in _matching(str(_included(word)))]
    return list(names)


def _matching(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern))  # noqa: PTH207 - a path's own `glob` takes no absolute pattern


def _included(word: str) -> Path:
    """A relative name starts in ~/.ssh (ssh_config(5), Include)."""
    home = Path.home()
    return home / word[2:] if word.startswith("~/") else home / ".ssh" / word


def _settings(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Keyword in lower case and arguments; a line that cannot be taken apart is left to ssh."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            words = shlex.split(line.replace("=", " ", 1), comments=True)
        except ValueError:
            continue
        if words:
            yield words[0].lower(), words[1:]
