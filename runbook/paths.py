"""Where the program keeps its files: the XDG base directories, or what the platform has instead."""

from __future__ import annotations

import contextlib
from pathlib import Path

import platformdirs

APPLICATION = "hsm-runbook"
JOURNAL_NAME = "journal.jsonl"


def state_folder() -> Path:
    """`$XDG_STATE_HOME/hsm-runbook`, by default `~/.local/state/hsm-runbook`."""
    return platformdirs.user_state_path(APPLICATION)


def runs_folder() -> Path:
    """One folder a run."""
    return state_folder() / "runs"


def config_folder() -> Path:
    """`$XDG_CONFIG_HOME/hsm-runbook`, by default `~/.config/hsm-runbook`."""
    return platformdirs.user_config_path(APPLICATION)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/hsm-runbook`, by default `~/.cache/hsm-runbook`; what is in it can be made again."""
    return platformdirs.user_cache_path(APPLICATION)


def resolve(folder: Path, name: str) -> Path:
    """`name` from a file as a path: `~` is the user's home, and what is relative starts at `folder`."""
    path = Path(name)
    with contextlib.suppress(RuntimeError):  # `~somebody` who is no user here is a name like any other
        path = path.expanduser()
    return folder / path
