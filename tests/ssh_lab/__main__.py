"""Starts the lab for use by hand: python -m tests.ssh_lab."""

from __future__ import annotations

import signal
import sys

from tests.ssh_lab.lab import Lab, LabLacks
from tests.ssh_lab.plan import ACCOUNTS, PASSWORD


def main() -> None:
    try:
        _serve()
    except LabLacks as lacks:
        sys.exit(str(lacks))


def _serve() -> None:
    with Lab() as lab:
        client = lab.client()
        names = ", ".join(account.name for account in ACCOUNTS)
        sys.stdout.write(f"""\
ssh -F {client.config} alpha      (or jump, beta, beta-far, alpha-ops …)
Accounts: {names}. Password of each: {PASSWORD}
Keys and certificates: {lab.keys}
The lab ends with this program: Ctrl-C.
""")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    main()
