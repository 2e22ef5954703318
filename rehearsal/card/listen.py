"""`python -m rehearsal.card.listen PARENT FD COMMAND…`: becomes COMMAND with a listening socket as systemd gives it.

pcscd's socket has a fixed path, except when it is started with one (sd_listen_fds(3)): file descriptor 3, and the
environment says whose it is. The process dies with PARENT (prctl(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_FIRST = 3
"""SD_LISTEN_FDS_START."""


def main(parent: int, fd: int, command: list[str]) -> None:
    """Never returns."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    os.dup2(fd, _FIRST, inheritable=True)
    if fd != _FIRST:
        os.close(fd)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execvp(command[0], command)  # noqa: S606 - becoming it is the purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
