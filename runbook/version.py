"""The version of the program."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Of the installed distribution."""
    try:
        return version("hsm-runbook")
    except PackageNotFoundError:
        return "unknown"
