"""What a process has in its memory and what it holds open, from proc(5), for people and for judging."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

PKCS11_ENTRIES: Final = (b"\0C_GetFunctionList\0", b"\0C_GetInterface\0", b"\0C_GetInterfaceList\0")
"""What every PKCS#11 module exports (PKCS#11 v3.1, section 5.4), as names in a library's string table.

A library that loads modules holds the same names.
"""

_SOFT: Final = re.compile(r"softhsm|softokn", re.IGNORECASE)
"""Modules whose tokens are files."""

_MAP = re.compile(
    r"^[0-9a-f]+-[0-9a-f]+ (?P<mode>[r-][w-][x-][ps]) [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ [0-9]+ +(?P<path>/.*)$",
    re.MULTILINE,
)
_OPEN = re.compile(r"^l\S+ .* (?P<number>[0-9]+) -> (?P<target>.+)$", re.MULTILINE)
_SOCKET = re.compile(r"^socket:\[(?P<inode>[0-9]+)\]$")
_STATES: Final = {"01": "established", "0A": "listens"}
"""tcp_states.h of Linux; others are on their way from one to the other."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A file with code in a process's memory."""

    path: str
    """In the container, as the kernel gives it: without links."""
    gone: bool
    """It is not at that path any more: removed, or replaced by another."""


def code(maps: str) -> tuple[Mapped, ...]:
    """The files in /proc/PID/maps that are mapped to be executed, each once, in order."""
    found: dict[str, Mapped] = {}
    for match in _MAP.finditer(maps):
        if "x" in match["mode"]:
            path = match["path"].removesuffix(" (deleted)")
            found.setdefault(path, Mapped(path, gone=path != match["path"]))
    return tuple(found.values())


def is_module(content: bytes) -> bool:
    """Whether a library is, or loads, a PKCS#11 module, whatever its name."""
    return any(entry in content for entry in PKCS11_ENTRIES)


def is_soft(path: str) -> bool:
    """Whether it is known as a token of files by its name."""
    return _SOFT.search(PurePosixPath(path).name) is not None


def held(listing: str, connections: Mapping[str, str]) -> tuple[str, ...]:
    """What `ls -ln /proc/PID/fd` shows to be open, each once; a TCP socket with its two ends."""
    targets = (match["target"] for match in _OPEN.finditer(listing))
    return tuple(dict.fromkeys(_with_ends(target, connections) for target in targets))


def _with_ends(target: str, connections: Mapping[str, str]) -> str:
    match = _SOCKET.match(target)
    ends = connections.get(match["inode"]) if match else None
    return f"{target} {ends}" if ends else target


def tcp(table: str) -> dict[str, str]:
    """/proc/PID/net/tcp or tcp6 by the sockets' inodes: `tcp 127.0.0.1:35963 - 127.0.0.1:40000 established`."""
    found: dict[str, str] = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 9 and fields[0].endswith(":"):
            try:
                here, there = _end(fields[1]), _end(fields[2])
            except ValueError:
                continue
            state = _STATES.get(fields[3], f"state {fields[3]}")
            found[fields[9]] = f"tcp {here} - {there} {state}" if fields[3] != "0A" else f"tcp {here} {state}"
    return found


def _end(text: str) -> str:
    """`0100007F:8C7B` as `127.0.0.1:35963`: each word of the address is in the machine's byte order.

    Every machine that step-ca is packaged for is little-endian, but the order is not told here: this program may run on
    another one than the container. Raises ValueError.
    """
    address, _, port = text.partition(":")
    words = bytes.fromhex(address)
    raw = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    if raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    if len(raw) not in (4, 16):
        raise ValueError("no address")
    shown = socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
    return f"{shown}:{int(port, 16)}" if len(raw) == 4 else f"[{shown}]:{int(port, 16)}"
