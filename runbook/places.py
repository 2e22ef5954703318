"""The places that the program knows, and which of them are used; nothing is read but whether something is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook import paths
from runbook.defaults import shipped_runbook
from runbook.errors import UsageError
from runbook.files.named import DEFAULT_RUNBOOK, SITE_NAME, find_site
from runbook.preferences import NO_COLOR, THEME_VARIABLE, config_path

VARIABLES: Final = (
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "SSH_AUTH_SOCK",
    "TERM",
    "COLORTERM",
    "COLORFGBG",
    NO_COLOR,
    THEME_VARIABLE,
)
"""Environment variables that change where things are or how they look."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder that is looked for or kept."""

    what: str
    path: str
    there: bool
    used: bool
    """Whether `runbook run`, called with the same file and profile here and now, takes it."""


def places(runbook: Path | None, site: Path | None) -> list[Place]:
    """All places, in the order in which they are looked for; `runbook` and `site` as the command line names them."""
    meant = runbook or DEFAULT_RUNBOOK
    profile = find_site(site, meant)
    profiles = [site] if site else [meant.parent / SITE_NAME, paths.config_folder() / SITE_NAME]
    found = [
        _place("configuration", paths.config_folder(), used=True),
        _place("preferences", config_path(), used=True),
        *(_place("site profile", path, used=path == profile) for path in profiles),
        _place("runbook", meant, used=True),
    ]
    try:
        found.append(_place("runbook that came along", shipped_runbook(), used=False))
    except UsageError as error:
        found.append(Place("runbook that came along", error.where, there=False, used=False))
    return [
        *found,
        _place("state", paths.state_folder(), used=True),
        _place("recorded runs", paths.runs_folder(), used=True),
        _place("cache", paths.cache_folder(), used=True),
    ]


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of `VARIABLES` that are set."""
    return {name: environ[name] for name in VARIABLES if name in environ}


def _place(what: str, path: Path, *, used: bool) -> Place:
    there = os.access(path, os.F_OK)
    return Place(what, str(path.absolute()), there, used and there)
