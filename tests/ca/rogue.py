"""A server over TLS that says what a test wants it to, also what no server should; and one without TLS."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.ca.pki import Pair

Reply = Callable[[str, bytes], bytes | Iterator[bytes]]
"""From a request's first line without its version (`GET /health`) and its body, the bytes of the whole answer."""


def answer(status: int, body: bytes, *headers: str, version: str = "HTTP/1.1") -> bytes:
    lines = [f"{version} {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def as_json(value: Any, status: int = 200) -> bytes:
    return answer(status, json.dumps(value).encode(), "Content-Type: application/json")


class Rogue:
    """Listens on a port of the loopback until it is closed; keeps every request."""

    def __init__(self, folder: Path, leaf: Pair | None, reply: Reply, *above: Pair) -> None:
        self.requests: list[tuple[str, bytes]] = []
        """First line and body."""
        self.heads: list[str] = []
        self._reply = reply
        self._context = self._context_of(folder, leaf, above) if leaf is not None else None
        self._closing = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def connect(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def drip(self, pieces: Iterator[bytes], seconds: float) -> Iterator[bytes]:
        """The pieces, one every few moments, until the server is closed."""
        for piece in pieces:
            if self._closing.wait(seconds):
                return
            yield piece

    @staticmethod
    def _context_of(folder: Path, leaf: Pair, above: tuple[Pair, ...]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chain, key = folder / f"chain-{time.monotonic_ns()}.pem", folder / f"key-{time.monotonic_ns()}.pem"
        chain.write_bytes(b"".join(one.pem for one in (leaf, *above)))
        key.write_bytes(leaf.key_pem)
        context.load_cert_chain(chain, key)
        return context

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            if self._context is None:
                for piece in _pieces(self._reply("", b"")):
                    line.sendall(piece)
                return
            with self._context.wrap_socket(line, server_side=True) as talk:
                head, body = _request(talk)
                first = head.split(" HTTP/")[0]
                self.requests.append((first, body))
                self.heads.append(head)
                for piece in _pieces(self._reply(first, body)):
                    talk.sendall(piece)
                with contextlib.suppress(OSError):
                    talk.unwrap()


def _pieces(said: bytes | Iterator[bytes]) -> Iterator[bytes]:
    return iter([said]) if isinstance(said, bytes) else said


def _request(talk: ssl.SSLSocket) -> tuple[str, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = talk.recv(65536)
        if not piece:
            raise ConnectionError
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    length = next(
        (int(line.split(":")[1]) for line in text.split("\r\n") if line.lower().startswith("content-length:")), 0
    )
    while len(body) < length:
        body += talk.recv(65536)
    return text, body
