"""The operator's SSH agent, asked for its keys and for signatures (draft-miller-ssh-agent); it is never changed."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass

from runbook.text import clean_line

_REQUEST_IDENTITIES = 11
_IDENTITIES_ANSWER = 12
_SIGN_REQUEST = 13
_SIGN_RESPONSE = 14
_RSA_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}

MAX_MESSAGE = 256 * 1024
"""Bytes of one answer, as OpenSSH's own limit."""

LIST_DEADLINE = 10.0
"""Seconds for the list of keys; a signature may wait for a touch, and has the caller's deadline."""


class AgentSilent(Exception):
    """The agent is gone, does not answer, or refuses."""


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key or certificate in the agent."""

    blob: bytes
    """As on the wire (RFC 4253 §6.6, PROTOCOL.certkeys)."""
    comment: str


async def identities(path: str) -> list[AgentKey]:
    """The agent's keys in its order. Raises AgentSilent."""
    try:
        async with asyncio.timeout(LIST_DEADLINE):
            answer = await _ask(path, bytes([_REQUEST_IDENTITIES]), _IDENTITIES_ANSWER)
    except TimeoutError:
        raise AgentSilent(f"the agent at {path} does not answer") from None
    count, rest = int.from_bytes(answer[:4], "big"), answer[4:]
    keys = []
    for _ in range(count):
        blob, rest = _string(rest)
        comment, rest = _string(rest)
        keys.append(AgentKey(blob, clean_line(comment.decode(errors="replace"), 200)))
    return keys


async def sign(path: str, blob: bytes, data: bytes, algorithm: str) -> bytes:
    """The signature as on the wire; a key on a device may wait for a touch. Raises AgentSilent."""
    flags = _RSA_FLAGS.get(algorithm.removesuffix("-cert-v01@openssh.com"), 0)
    request = bytes([_SIGN_REQUEST]) + wire_string(blob) + wire_string(data) + struct.pack(">I", flags)
    signature, _ = _string(await _ask(path, request, _SIGN_RESPONSE))
    return signature


def wire_string(data: bytes) -> bytes:
    """RFC 4251 §5, `string`."""
    return struct.pack(">I", len(data)) + data


async def _ask(path: str, request: bytes, expected: int) -> bytes:
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(wire_string(request))
        await writer.drain()
        length = int.from_bytes(await reader.readexactly(4), "big")
        if not 0 < length <= MAX_MESSAGE:
            raise AgentSilent(f"the agent at {path} sends what is no answer")
        answer = await reader.readexactly(length)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise AgentSilent(f"the agent at {path} does not answer: {error}") from error
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    if answer[0] != expected:
        raise AgentSilent(f"the agent at {path} refuses")
    return answer[1:]


def _string(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 + length:
        raise AgentSilent("the agent's answer is cut short")
    return data[4 : 4 + length], data[4 + length :]
