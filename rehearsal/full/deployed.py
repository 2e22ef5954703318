"""What is deployed on the CA's host: a checkout of the site's repository, and the site's command."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rehearsal.full.machines import CA_HOST, commands
from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import HOSTS
from rehearsal.repository import git
from runbook.errors import EnvironmentLacks

PLACE: Final = "opt/data-center/system-integration"
"""From the host's own folder."""

COMMAND: Final = "ccat"
"""The site's own command, in the lab's `bin`."""


def deployed_checkout(lab: Path) -> Path:
    """Where it is."""
    return lab / HOSTS_FOLDER / HOSTS[CA_HOST] / PLACE


def deploy(lab: Path, upstream: Path) -> None:
    """Clone it as it is before the cutover, and put the site's command on the host's PATH. Raises EnvironmentLacks."""
    folder = deployed_checkout(lab)
    folder.parent.mkdir(parents=True)
    git("clone", "--quiet", str(upstream), str(folder), cwd=lab)
    (commands(lab, CA_HOST) / COMMAND).symlink_to(lab / "bin" / COMMAND)


def pull(folder: Path) -> None:
    """Bring the checkout up to date. Raises EnvironmentLacks where there is none, or its state stands in the way."""
    if not folder.is_dir():
        raise EnvironmentLacks(
            "nothing is deployed on the CA's host",
            where=str(folder),
            remedy="Only a full lab has a CA: `runbook rehearse --full`.",
        )
    git("pull", "--quiet", "--ff-only", cwd=folder)
