"""This program under another Unix account of the same machine: nobody's, in one given group."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ACCOUNT = "nobody"
ROOT = Path(__file__).parents[2]

_PATHS = os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))


def as_other(group: int, argv: Sequence[str]) -> list[str]:
    """The command under the other account, without any capability; root, or sudo without a password, is needed."""
    drop = [
        "setpriv",
        f"--reuid={ACCOUNT}",
        f"--regid={group}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]
    return [*([] if os.geteuid() == 0 else ["sudo", "-n"]), *drop, "env", f"PYTHONPATH={_PATHS}", *argv]


def interpreter(group: int) -> str:
    """A Python that the other account can start: this one, or the system's where this one lies in a private folder."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run(
            as_other(group, [candidate, "-c", "import runbook.people.following"]),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return candidate
    raise AssertionError(f"the account {ACCOUNT} cannot start the program:\n{done.stderr}")
