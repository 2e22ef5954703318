"""Runs one command and sees to it that nothing of it outlives its purpose. Started by `process`, never imported.

`python -I -S supervise.py CONTROL STATUS LOCKS EXECUTABLE ARGV0 [ARG…]` — CONTROL is the read end of a pipe whose
other end only the program holds: when it closes, for whatever reason, even SIGKILL, the command and all its descendants
are ended. STATUS is the write end of a pipe that gets one line each of `started PID`, `refused ERRNO`, `exit CODE`,
`signal NUMBER` and `left COUNT`. LOCKS are descriptors with a comma between them, perhaps none: the locks of the run
that the command belongs to, held until nothing of it is left (`runbook.record.runlock`).

This process is a child subreaper (prctl(2)), so that also descendants which moved to a session of their own are
found; the command is killed by the kernel should this process die first. It needs the standard library alone.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL."""

PATIENCE = 3.0
"""Seconds given to killed processes; one that waits for a dead disk cannot be waited for without bound."""

_IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE)

_libc = ctypes.CDLL(None)


class Supervisor:
    """The command, its descendants, and the two pipes."""

    def __init__(self, control: int, status: int) -> None:
        self.control = control
        self.status = status
        self.command = 0
        self.ended = False
        self.alone = False
        """No child is left."""

    def tell(self, line: str) -> None:
        # The program may be gone already, and with it the reader.
        with contextlib.suppress(OSError):
            os.write(self.status, line.encode() + b"\n")

    def let_go(self) -> bool:
        """Whether the program wants nothing of the command any more."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        return bool(poll.poll(0))

    def start(self, executable: str, argv: list[str]) -> None:
        """Fork and execute in a process group of its own, without a controlling terminal."""
        here = os.getpid()
        refusal, told = os.pipe()
        self.command = os.fork()
        if self.command == 0:
            self._become(executable, argv, here, told)
        os.close(told)
        self.tell(f"started {self.command}")
        errno = os.read(refusal, 16)
        os.close(refusal)
        if errno:
            self.tell(f"refused {errno.decode()}")

    def _become(self, executable: str, argv: list[str], parent: int, told: int) -> None:
        try:
            os.setpgid(0, 0)
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(127)
            # What is ignored stays ignored across exec, and the interpreter ignores some by itself.
            for number in (*_IGNORED, signal.SIGCHLD, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            # The set of inherited files was chosen by the program: 0, 1, 2, and our two pipes, which close on exec.
            os.execv(executable, argv)  # noqa: S606 — an argument list, never a shell line
        except OSError as error:
            os.write(told, str(error.errno).encode())
        finally:
            os._exit(127)

    def reap(self) -> None:
        """Collect whatever has ended; the command's own end is told."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.alone = True
                return
            if pid == 0:
                return
            if pid == self.command and not self.ended:
                self.ended = True
                code = os.waitstatus_to_exitcode(status)
                self.tell(f"exit {code}" if code >= 0 else f"signal {-code}")

    def wait(self, woken: int) -> None:
        """Until the command has ended or the program wants it to."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        while not self.ended:
            ready = {fd for fd, _ in poll.poll()}
            if woken in ready:
                os.read(woken, 512)
            self.reap()
            if self.control in ready:
                return

    def end_all(self) -> None:
        """SIGTERM to every descendant, then SIGKILL until none is left or patience runs out."""
        if not self.ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.command, signal.SIGTERM)
                os.killpg(self.command, signal.SIGCONT)
        found = self._signal_children(signal.SIGTERM)
        if self.ended and found:
            self.tell(f"left {found}")
        self._until_alone(GRACE, None)
        self._until_alone(PATIENCE, signal.SIGKILL)

    def _until_alone(self, seconds: float, number: int | None) -> None:
        give_up = time.monotonic() + seconds
        pause = 0.001
        while not self.alone and time.monotonic() < give_up:
            if number is not None:
                # Killing a child hands its own children to us, so this walks down the whole tree.
                self._signal_children(number)
            self.reap()
            if not self.alone:
                time.sleep(pause)
                pause = min(pause * 2, 0.05)

    def _signal_children(self, number: int) -> int:
        me = os.getpid()
        listing = os.open(f"/proc/{me}/task/{me}/children", os.O_RDONLY)
        children = os.read(listing, 65536).split()
        os.close(listing)
        for pid in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), number)
        return len(children)


def main(arguments: list[str]) -> None:
    """See the module."""
    control, status, locks, executable, *argv = arguments
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    for inherited in (control, status, *filter(None, locks.split(","))):
        os.set_inheritable(int(inherited), False)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake)

    supervisor = Supervisor(int(control), int(status))
    if supervisor.let_go():
        return
    supervisor.start(executable, argv)
    # The command's output is its own: a supervisor that held it open would hide its end.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    supervisor.wait(woken)
    supervisor.end_all()


if __name__ == "__main__":
    main(sys.argv[1:])
