"""`python -m rehearsal.full.front FOLDER PUBLIC_CA CA_FD AUTH_FD PARENT`: the names of the site, in the lab.

It runs in the network namespace of the CA's host and has two listening sockets of the machine's namespace:

- what comes to the first goes on as it is (TLS too) to the CA on port 9000;
- the second, and port 443 in the namespace, is Dex: the discovery document and its keys alone, over a certificate of
  the public CA in PUBLIC_CA. step-ca asks it at its start.

While FOLDER has a file `another-root`, somebody else answers in the CA's place, under a root of their own.
It writes a line when it serves, and dies with PARENT.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from rehearsal.full import public_ca
from rehearsal.full.names import AUTH_NAME, CA_NAME, ISSUER

ANOTHER_ROOT: Final = "another-root"
"""The file that lets somebody else answer."""
_CA: Final = ("127.0.0.1", 9000)
_DEADLINE: Final = 10.0
_CHUNK: Final = 65_536
_PR_SET_PDEATHSIG: Final = 1

Answer = Callable[[str], object | None]
"""What is under a path, as JSON; None: nothing."""


def dex() -> Answer:
    """Dex's discovery document (OpenID Connect Discovery 1.0 §3) and a set of one key."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256")
    public = key.as_dict(private=False) | {"use": "sig", "alg": "ES256", "kid": key.thumbprint()}
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    return {"/.well-known/openid-configuration": document, "/keys": {"keys": [public]}}.get


def impostor(root: str) -> Answer:
    """What step's bootstrap asks a CA for, with another root (PEM)."""
    known: Mapping[str, object] = {
        "/health": {"status": "ok"},
        "/roots": {"crts": [root]},
        "/provisioners": {"provisioners": [], "nextCursor": ""},
    }
    return lambda path: {"ca": root} if path.startswith("/root/") else known.get(path)


async def serve(folder: Path, root: Path, ca: socket.socket, auth: socket.socket) -> None:
    """Until cancelled; `root` is the folder of the public CA."""
    stranger = folder / "stranger"
    stranger.mkdir(exist_ok=True)
    public_ca.make_root(stranger, "Another Root CA")
    other_root = (stranger / public_ca.CERTIFICATE).read_text()
    context = _context(*public_ca.issue(root, folder, AUTH_NAME))
    async with contextlib.AsyncExitStack() as stack:
        pretended = await asyncio.start_server(
            _http(impostor(other_root)), "127.0.0.1", 0, ssl=_context(*public_ca.issue(stranger, stranger, CA_NAME))
        )
        other = pretended.sockets[0].getsockname()[:2]

        def target() -> tuple[str, int]:
            return other if (folder / ANOTHER_ROOT).exists() else _CA

        login = dex()
        for starting in (
            asyncio.start_server(_passing(target), sock=ca),
            asyncio.start_server(_http(login), sock=auth, ssl=context),
            asyncio.start_server(_http(login), "127.0.0.1", 443, ssl=context),
        ):
            await stack.enter_async_context(await starting)
        await stack.enter_async_context(pretended)
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


def _context(chain: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    return context


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _http(answer: Answer) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_DEADLINE):
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, *_ = [*head.split(b"\r\n", 1)[0].decode(errors="replace").split(" "), "", ""]
                found = answer(target.partition("?")[0])
                status = "200 OK" if found is not None else "404 Not Found"
                body = json.dumps(found).encode() if found is not None else b""
                lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}")
                writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
                writer.write(b"" if method == "HEAD" else body)
                await writer.drain()
        await _close(writer)

    return handle


def _passing(target: Callable[[], tuple[str, int]]) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # nobody listens: the connection is closed, as it would be at a site
            there, back = await asyncio.open_connection(*target())
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
            await _close(back)
        await _close(writer)

    return handle


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes one way until the end, which is passed on."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(_DEADLINE):
            await writer.wait_closed()


def main(folder: str, root: str, ca_fd: str, auth_fd: str, parent: str) -> int:
    """Serve until SIGTERM."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        return 0
    ca, auth = (socket.socket(fileno=int(fd)) for fd in (ca_fd, auth_fd))

    async def run() -> None:
        serving = asyncio.create_task(serve(Path(folder), Path(root), ca, auth))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
