"""Turns off what a virtual cable leaves to the card: checksums and segments of a packet are made where it is sent.

`wire` copies packets as they are, and the receiver would take one without its checksum for damaged.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SETTINGS = (0x17, 0x1F, 0x24)
"""ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO (linux/ethtool.h)."""


def no_offload(interface: str) -> None:
    """Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for setting in SETTINGS:
            value = array.array("B", struct.pack("=II", setting, 0))
            request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)


if __name__ == "__main__":
    no_offload(sys.argv[1])
