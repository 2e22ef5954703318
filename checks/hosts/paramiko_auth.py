"""Being let in over paramiko's protocol engine (RFC 4252, RFC 4256): one attempt for each answer, nothing blocks.

Keys are first asked about and only sign when the host takes them, as OpenSSH does: nobody touches a device or types a
passphrase for a key that the host does not know. A person may take their time over a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paramiko
from paramiko.common import (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_INFO_REQUEST,
    MSG_USERAUTH_SUCCESS,
    cMSG_SERVICE_REQUEST,
    cMSG_USERAUTH_INFO_RESPONSE,
    cMSG_USERAUTH_REQUEST,
)

from checks.hosts.paramiko_transport import SshTransport, call_on
from checks.hosts.ssh_agent import wire_string
from checks.hosts.threads import Threads
from runbook.text import clean, clean_line

_MAX_QUESTIONS = 16


@dataclass(frozen=True, slots=True)
class Refused:
    """SSH_MSG_USERAUTH_FAILURE."""

    methods: tuple[str, ...]
    """What can continue."""
    partial: bool
    """What was sent was right, and more is wanted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """SSH_MSG_USERAUTH_INFO_REQUEST: questions to the person."""

    title: str
    instructions: str
    questions: tuple[str, ...]


class LetIn:
    """SSH_MSG_USERAUTH_SUCCESS."""


class KeyTaken:
    """SSH_MSG_USERAUTH_PK_OK."""


class Gone(Exception):
    """The host ended the connection."""


Reply = Refused | Asked | LetIn | KeyTaken
_Handler = Callable[[paramiko.Message], None]


class Exchange:
    """Requests to the host and its replies. paramiko calls it from its thread, by the names it knows."""

    def __init__(self, transport: SshTransport, threads: Threads, user: str) -> None:
        self._transport = transport
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._replies: asyncio.Queue[Reply | bool | None] = asyncio.Queue()
        self._user = user
        self._method = ""
        self._authenticated = False
        self.banner = ""
        """What the host says before it lets anybody in, for people."""
        self._handler_table: dict[int, _Handler] = {
            MSG_SERVICE_ACCEPT: lambda _: self._put(True),
            MSG_USERAUTH_SUCCESS: self._success,
            MSG_USERAUTH_FAILURE: self._failure,
            MSG_USERAUTH_BANNER: self._note_banner,
            MSG_USERAUTH_INFO_REQUEST: self._sixty,
        }
        transport.auth_handler = self

    # What paramiko asks for.

    def is_authenticated(self) -> bool:
        return self._authenticated

    def get_username(self) -> str:
        return self._user

    def abort(self) -> None:
        """The connection has ended."""
        self._put(None)

    # From paramiko's thread.

    def _put(self, reply: Reply | bool | None) -> None:
        call_on(self._loop, lambda: self._replies.put_nowait(reply))

    def _success(self, _: paramiko.Message) -> None:
        self._authenticated = True
        self._transport._auth_trigger()
        self._put(LetIn())

    def _failure(self, message: paramiko.Message) -> None:
        self._put(Refused(tuple(message.get_list()), message.get_boolean()))

    def _note_banner(self, message: paramiko.Message) -> None:
        self.banner = clean(message.get_binary().decode(errors="replace"), 4000)

    def _sixty(self, message: paramiko.Message) -> None:
        """The number means one thing for keys and another for questions (RFC 4252 §7, RFC 4256 §3.2)."""
        if self._method == "publickey":
            self._put(KeyTaken())
            return
        title, instructions, _ = message.get_binary(), message.get_binary(), message.get_binary()
        count = message.get_int()
        if count > _MAX_QUESTIONS:
            raise paramiko.SSHException("the host asks too many questions at a time")
        questions = []
        for _ in range(count):
            questions.append(message.get_binary())
            message.get_boolean()
        texts = [clean_line(text.decode(errors="replace"), 300) for text in (title, instructions, *questions)]
        self._put(Asked(texts[0], texts[1], tuple(texts[2:])))

    # From the loop.

    async def begin(self) -> None:
        """Ask for the service. Raises Gone."""
        await self._send([(cMSG_SERVICE_REQUEST, None), ("ssh-userauth", str)])
        await self._next()

    async def none(self) -> Reply:
        """Which methods there are (RFC 4252 §5.2)."""
        return await self._request("none", [])

    async def ask_key(self, algorithm: str, blob: bytes) -> Reply:
        """Whether the host takes the key; nothing is signed."""
        return await self._request("publickey", [(False, bool), (algorithm, str), (blob, bytes)])

    def to_sign(self, algorithm: str, blob: bytes) -> bytes:
        """What is signed (RFC 4252 §7)."""
        head = wire_string(self._transport.session_id) + b"\x32" + wire_string(self._user.encode())
        head += wire_string(b"ssh-connection") + wire_string(b"publickey") + b"\x01"
        return head + wire_string(algorithm.encode()) + wire_string(blob)

    async def show_key(self, algorithm: str, blob: bytes, signature: bytes) -> Reply:
        return await self._request("publickey", [(True, bool), (algorithm, str), (blob, bytes), (signature, bytes)])

    async def password(self, password: bytes) -> Reply:
        return await self._request("password", [(False, bool), (password, bytes)])

    async def interactive(self) -> Reply:
        return await self._request("keyboard-interactive", [("", str), ("", str)])

    async def answer(self, answers: list[bytes]) -> Reply:
        """To the questions of `Asked`."""
        message = paramiko.Message()
        message.add_byte(cMSG_USERAUTH_INFO_RESPONSE)
        message.add_int(len(answers))
        for text in answers:
            message.add_string(text)
        await self._transmit(message)
        return await self._reply()

    async def _request(self, method: str, fields: list[tuple[Any, type | None]]) -> Reply:
        self._method = method
        head = [(cMSG_USERAUTH_REQUEST, None), (self._user, str), ("ssh-connection", str), (method, str)]
        await self._send([*head, *fields])
        return await self._reply()

    async def _send(self, fields: list[tuple[Any, type | None]]) -> None:
        message = paramiko.Message()
        for value, kind in fields:
            if kind is None:
                message.add_byte(value)
            elif kind is bool:
                message.add_boolean(value)
            else:
                message.add_string(value)
        await self._transmit(message)

    async def _transmit(self, message: paramiko.Message) -> None:
        try:
            await self._threads.run(self._transport._send_user_message, message)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Gone from error

    async def _reply(self) -> Reply:
        reply = await self._next()
        if isinstance(reply, bool):
            raise Gone
        return reply

    async def _next(self) -> Reply | bool:
        if not self._transport.active and self._replies.empty():
            raise Gone
        reply = await self._replies.get()
        if reply is None:
            raise Gone
        return reply


def accepted_algorithms(transport: SshTransport) -> tuple[str, ...]:
    """What the host said it accepts signatures by; empty where it did not say (RFC 8308 §3.1)."""
    said = transport.server_extensions.get("server-sig-algs", b"")
    return tuple((said.decode(errors="replace") if isinstance(said, bytes) else said).split(",")) if said else ()
