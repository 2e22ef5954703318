"""Where the program keeps its files: the XDG base directories, or what the platform has instead."""

from __future__ import annotations

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
