"""The command `runbook`: finds the command asked for and imports only that."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exits with an `ExitCode`."""
    sys.exit("not wired yet")
