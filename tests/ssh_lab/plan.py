"""What the lab's machines are called, where they are, and who has an account on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

JUMP, ALPHA, BETA = "jump", "alpha", "beta"
MACHINES = (JUMP, ALPHA, BETA)

INNER: Mapping[str, str] = {JUMP: "198.19.0.1", ALPHA: "198.19.0.2", BETA: "198.19.0.3"}
"""Addresses in the network behind the jump host (RFC 2544 sets 198.18.0.0/15 aside for benches like this one)."""

PASSWORD = "correct horse battery staple"
"""Of every account."""

USER, ROOT = "deploy", "root"


@dataclass(frozen=True, slots=True)
class Account:
    """An account on every machine of the lab."""

    name: str
    sudoers: str = ""
    """Lines of sudoers(5)."""
    bashrc: str = ""
    login_shell: str = "/bin/bash"


ACCOUNTS = (
    Account("deploy", "deploy ALL=(ALL:ALL) ALL"),
    Account("ops", "ops ALL=(ALL:ALL) NOPASSWD: ALL"),
    Account("guest"),
    Account("limited", "limited ALL=(ALL:ALL) /usr/bin/id"),
    Account("lectured", "Defaults:lectured lecture=always\nlectured ALL=(ALL:ALL) ALL"),
    Account("ttyonly", "Defaults:ttyonly requiretty\nttyonly ALL=(ALL:ALL) ALL"),
    # Its PAM stack sleeps: sudo neither asks nor runs.
    Account("silent", "silent ALL=(ALL:ALL) ALL"),
    Account("noisy", "noisy ALL=(ALL:ALL) ALL", bashrc="echo a banner from .bashrc; echo and another one >&2\n"),
    Account("otp", "otp ALL=(ALL:ALL) ALL"),
    Account("plain", "plain ALL=(ALL:ALL) ALL", login_shell="/bin/sh"),
    Account("closed", login_shell="/usr/sbin/nologin"),
)
"""`deploy`: sudo asks; `ops`: it does not; `guest`: not in sudoers; `limited`: one command only; `otp`: a key and then
a question (keyboard-interactive) for the password; `closed`: no shell.
"""

FIRST_UID = 2001

UNITS = "/run/lab/units"
"""Where the stand-in for systemctl looks for units."""

TOKEN_FOLDERS: Mapping[str, str] = {"softhsm": "/srv/softhsm", "softhsm-root": "/srv/softhsm-root"}
"""On every machine: a folder with softhsm2.conf, for all accounts of the lab and for root alone."""
