"""What `ssh` runs when it wants to ask a person (SSH_ASKPASS in ssh(1)); started by it, never imported.

`python -I -S askpass_helper.py SOCKET PROMPT`: the question goes to the program over its private socket, the answer
comes back there and goes to `ssh` through this process's standard output. It needs the standard library alone.
"""

import os
import socket
import sys

ACCEPTED = b"+"


def main(path: str, prompt: str) -> int:
    """The exit status: 0 with an answer on standard output, 1 for a refusal."""
    kind = os.environ.get("SSH_ASKPASS_PROMPT", "")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(os.fsencode(kind) + b"\0" + os.fsencode(prompt))
        connection.shutdown(socket.SHUT_WR)
        answer = bytearray()
        while chunk := connection.recv(4096):
            answer += chunk
    if not answer.startswith(ACCEPTED):
        return 1
    sys.stdout.buffer.write(answer[1:] + b"\n")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2]))
    except OSError:
        sys.exit(1)
