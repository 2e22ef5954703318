"""`python -m rehearsal.card.hold DRIVERS`: holds the namespaces in which pcscd and the cards run.

It is started in mount and network namespaces of its own, arranges them, writes a line and waits for the end of its
standard input. In them

- only the driver and configuration in DRIVERS exist for pcscd, so that it can never take a real reader (a real HSM!)
  from the host's own pcscd;
- /run is empty, so that pcscd finds no other pcscd's files and leaves none;
- the loopback interface is alone: the driver listens on every address there is, and there only the cards can reach it.
"""

from __future__ import annotations

import subprocess
import sys

PLACE = "/usr/lib/pcsc/drivers"
"""Where pcscd looks for drivers of real readers, and where it finds DRIVERS instead."""


def main(drivers: str) -> int:
    """Arrange, tell, wait."""
    for command in (
        ("mount", "--bind", drivers, PLACE),
        ("mount", "-t", "tmpfs", "tmpfs", "/run"),
        ("ip", "link", "set", "lo", "up"),
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(f"{' '.join(command)}: {done.stderr.strip()}\n")
            return 1
    sys.stdout.write("held\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
