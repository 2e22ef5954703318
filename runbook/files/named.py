"""The files that are meant when none is named. Imports next to nothing: the command line asks it first."""

from __future__ import annotations

from pathlib import Path

from runbook import paths

DEFAULT_RUNBOOK = Path("runbook.yaml")
"""The runbook that is meant when none is named: in the current folder."""

SITE_NAME = "site.yaml"


def find_site(flag: Path | None, runbook_path: Path) -> Path | None:
    """The site profile to use: the one named, else `site.yaml` beside the runbook, else in the user's configuration.

    None where there is none; a file that was named is not looked for.
    """
    if flag is not None:
        return flag
    places = (runbook_path.parent / SITE_NAME, paths.config_folder() / SITE_NAME)
    return next((place for place in places if place.is_file()), None)
