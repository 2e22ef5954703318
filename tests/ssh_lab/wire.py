"""A bad line: copies packets between two interfaces, loses some of them and holds all of them back.

In a process of its own instead of tc-netem(8), which many kernels do not have. It ends when its input does:
A B LOSS DELAY, the loss in percent of the packets and the delay in milliseconds, both for each direction.
"""

from __future__ import annotations

import collections
import random
import select
import socket
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def open_port(interface: str) -> socket.socket:
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.bind((interface, 0))
    port.setblocking(False)
    return port


def receive(port: socket.socket) -> bytes | None:
    """One packet that came in; None when there is none."""
    while True:
        try:
            packet, address = port.recvfrom(65536)
        except BlockingIOError:
            return None
        except OSError:
            return None  # the interface is down for now
        if address[2] != PACKET_OUTGOING:
            return packet


def carry(left: socket.socket, right: socket.socket, loss: float, delay: float) -> None:
    """Until the input ends; loss 0…1, delay in seconds."""
    other = {left: right, right: left}
    chance = random.Random(1)  # noqa: S311 - which packets are lost is no secret
    held: collections.deque[tuple[float, socket.socket, bytes]] = collections.deque()
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        ready, _, _ = select.select([left.fileno(), right.fileno(), 0], [], [], wait)
        if 0 in ready:
            return
        for port in (port for port in other if port.fileno() in ready):
            while (packet := receive(port)) is not None:
                if chance.random() >= loss:
                    held.append((time.monotonic() + delay, other[port], packet))
        while held and held[0][0] <= time.monotonic():
            _, out, packet = held.popleft()
            try:
                out.send(packet)
            except OSError:
                continue  # a line that is down or full loses it


if __name__ == "__main__":
    ports = open_port(sys.argv[1]), open_port(sys.argv[2])
    print("ready", flush=True)  # noqa: T201 - it is how this process tells
    carry(*ports, float(sys.argv[3]) / 100, float(sys.argv[4]) / 1000)
