"""What can go wrong around the card, worded for people."""

from __future__ import annotations

from runbook.errors import EnvironmentLacks, RunbookError


class CardStateUnusable(RunbookError):
    """The card's state file is corrupt, of a newer version, in use, or not there."""


class ReaderUnavailable(EnvironmentLacks):
    """A virtual reader cannot run on this machine, or did not come up."""


class CardControlFailed(RunbookError):
    """The running card did not answer on its control socket, or refused what it was asked."""
