"""`python -m tests.secrecy.user USE …`: a process that reads a secret from its input, uses it, wipes it, and waits.

Nothing in it holds the secret otherwise, so what another process finds in its memory is what the use has left.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

from runbook.secrets import Redactor, Secret


def given() -> Secret:
    """The line on standard input, through one buffer."""
    typed = bytearray(256)
    count = os.readv(0, [typed])
    with memoryview(typed) as view:
        secret = Secret(view[: count - 1])
    typed[:] = bytes(len(typed))
    return secret


def redact(secret: Secret, *_: str) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    for thread in threading.enumerate():
        if thread.name == "redactor":
            thread.join()
    assert redactor("nothing of it stands here; 0x00 \\u0020 %20 &#32;" * 500)


def open_key(secret: Secret, public: str, encrypted: str) -> None:
    from checks.ca.jwk import open_key as opened

    assert asyncio.run(opened("name", json.loads(public), encrypted, secret)) is not None


def ansible(secret: Secret, *_: str) -> None:
    from checks.hosts.ansible_run import AnsibleCommand, _asked
    from runbook.wiping import wipe

    command = AnsibleCommand(("ansible",), Path("/"), passwords=(("a prompt", secret), ("another", secret)))
    asked = _asked(command, ("ansible",), Path("/"), {})
    assert len(asked) > 2 * len(secret)
    wipe(asked)


def kept(secret: Secret, *_: str) -> None:
    """For the rest of a stage: it is there, and stands nowhere as it is."""
    secret.rest()
    copy = Secret(secret.reveal())
    secret.rest()
    assert not copy.equals(Secret(b"another"))
    copy.wipe()
    HELD.append(secret)


HELD: list[Secret] = []
"""What outlives its use."""

USES = {"redact": redact, "open_key": open_key, "ansible": ansible, "kept": kept}


def main() -> None:
    secret = given()
    USES[sys.argv[1]](secret, *sys.argv[2:])
    if not HELD:
        secret.wipe()
    os.write(1, b"done\n")
    os.read(0, 1)


if __name__ == "__main__":
    main()
