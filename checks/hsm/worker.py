"""The worker process: `python -I -m checks.hsm.worker FD PARENT MODULE`.

FD is this end of a socket pair, on which `wire` is spoken; standard output and error belong to the module, which
may print what it likes. PARENT is the process that must be alive for this one to live.

A PIN is in this process's memory for one call: no core file is ever written, no other process of the same user
may read its memory, and it dies with its parent even while the module hangs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
from typing import Final

from runbook.wiping import wipe

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_RECEIVE: Final = 65_536


def protect(parent: int) -> None:
    """Die with the parent, leave no core file, and let nobody look in (prctl(2)). Ends the process at failure."""
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) or libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        os._exit(70)
    if os.getppid() != parent:  # the parent was gone before the signal was asked for
        os._exit(71)


def serve(connection: socket.socket, module: str) -> None:
    """Load the module, greet, and answer calls until the other end closes."""
    from checks.hsm import wire
    from checks.hsm.device import Device, Refused
    from checks.hsm.opensc import forbid_pin_cache

    forbid_pin_cache()
    try:
        device = Device(module)
    except Refused as error:
        connection.sendall(wire.frame(wire.Answer(0, error.failure)))
        return
    connection.sendall(wire.frame(wire.Answer(0, device.greeting)))
    buffer, chunk = bytearray(), bytearray(_RECEIVE)
    while True:
        body = wire.take(buffer)
        if body is None:
            count = connection.recv_into(chunk)
            if not count:
                break
            buffer += memoryview(chunk)[:count]
            chunk[:count] = bytes(count)  # it may have held a PIN
            continue
        call = wire.read_call(body)
        wipe(body)
        response: wire.Response
        try:
            response = device.answer(call.request)
        except Refused as error:
            response = error.failure
        except Exception as error:  # noqa: BLE001 - whatever the library does, the caller gets an answer
            response = wire.Failure(
                wire.Fault.INTERNAL, type(error).__name__, isinstance(call.request, wire.Login | wire.ResetPin)
            )
        connection.sendall(wire.frame(wire.Answer(call.number, response)))
    try:
        device.logout()
    except Exception:  # noqa: BLE001 - nobody is left to tell
        os._exit(1)


def main() -> None:
    """Entry point; see the module's docstring."""
    fd, parent, module = sys.argv[1:]
    protect(int(parent))
    gone = contextlib.suppress(BrokenPipeError, ConnectionResetError)
    with socket.socket(fileno=int(fd)) as connection, gone:
        serve(connection, module)
    os._exit(0)  # a module's exit handlers may hang; the session ends with the process


if __name__ == "__main__":
    main()
