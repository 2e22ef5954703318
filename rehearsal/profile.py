"""What a lab's site profile says of it."""

from __future__ import annotations

import getpass
import grp
import os
from pathlib import Path

from rehearsal.ccat import ENV_FILE
from rehearsal.choice import Choice
from rehearsal.token import LabToken


def tokens_of(token: LabToken, choice: Choice) -> dict[str, object]:
    """Its version, name and token."""
    return {
        "site": 1,
        # It stands in the header of the run, on screens and in the record.
        "name": f"Rehearsal on {choice}",
        "tokens": {
            "intermediate": {
                "module": str(token.module),
                # The serial is not given here: it comes from paper, and the runbook compares it.
                "label": token.label,
                "env": dict(token.environment),
            }
        },
    }


def inputs_of(export: Path, repository: Path, ccat: Path) -> dict[str, object]:
    """The inputs that every lab gives; `ccat` is the site's command."""
    return {
        "export_usb": str(export),
        "repository": str(repository),
        "ccat": str(ccat),
        "announcement": str(repository.parent / "announcement.txt"),
        "cohort": ["Ada", "Grace"],
        "oidc_admin": "rehearsal@example.invalid",
        "ssh_login_user": getpass.getuser(),
        "ssh_login_principal": getpass.getuser(),
        # On the lab's hosts, each of which has a folder of its own.
        "env_file": ENV_FILE,
        "env_group": grp.getgrgid(os.getegid()).gr_name,
        "udev_rule": "etc/udev/rules.d/99-nitrokey-hsm.rules",
        "root_anchor": "etc/pki/ca-trust/source/anchors/ccat-root-ca.crt",
        "trusted_user_ca_keys": "etc/ssh/trusted_user_ca_keys",
    }
