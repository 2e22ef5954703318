"""Looking into a running container: files by the archive API, and what a reading program says there.

A container's `/proc` is in its own process namespace, so the archive API, which sees its file systems alone, cannot
give it. `cat` and `ls` can, which stand in every image that has a shell; no shell line is ever sent.
"""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from checks.containers.engine import Engine
from checks.containers.errors import EngineError
from checks.containers.refusals import ask

if TYPE_CHECKING:
    from docker import DockerClient

FILE_LIMIT: Final = 64 << 20
"""Bytes of a file that is read: more than any program or library has that is looked into."""

SAID_LIMIT: Final = 4 << 20
"""Bytes that a program may say; the rest is left out."""

_HEADER: Final = 8


class Unreadable(EngineError):
    """A file, or what the kernel tells of a process, could not be read in the container."""

    symptom = "unreadable"


@dataclass(frozen=True, slots=True)
class InsideFile:
    """A file as the archive API gave it."""

    content: bytes
    changed: float
    """Seconds since 1970, by the container's clock, which is its host's."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a program said in the container."""

    exit_code: int
    out: bytes
    err: bytes
    cut: bool = False


async def read_inside(engine: Engine, container: str, path: str, *, limit: int = FILE_LIMIT) -> InsideFile:
    """A file of the container, links in its path followed; its volumes are part of it, its tmpfs are not.

    `container` is an id that `container_named` gave. Raises Unreadable.
    """

    def read(client: DockerClient) -> InsideFile:
        pieces, _ = client.api.get_archive(container, _target(client, container, path) or path)
        return _only_file(pieces, path, limit)

    return await ask(engine, read)


async def resolved(engine: Engine, container: str, path: str) -> str:
    """The path without links in it. Raises Unreadable where nothing is there."""
    return await ask(engine, lambda client: _resolved(client, container, path))


async def run_inside(
    engine: Engine, container: str, argv: tuple[str, ...], *, user: str = "", privileged: bool = False
) -> Spoken:
    """What a program says that only reads (`POST /containers/{id}/exec`); its output is bounded.

    `privileged` gives it every capability, which the engine's API can do for whoever may use it. Raises EngineError.
    """

    def run(client: DockerClient) -> Spoken:
        api = client.api
        made = api.exec_create(container, list(argv), user=user, privileged=privileged, stdin=False)["Id"]
        address = f"{api.base_url}/v{api.api_version}/exec/{made}/start"
        # Without an upgrade of the connection the answer is a body like any other, through whatever carries it.
        with api.post(address, json={"Detach": False, "Tty": False}, stream=True, timeout=api.timeout) as answer:
            api._raise_for_status(answer)
            out, err, cut = _frames(answer.raw, SAID_LIMIT)
        code = api.exec_inspect(made).get("ExitCode")
        return Spoken(-1 if code is None else int(code), out, err, cut)

    try:
        return await ask(engine, run)
    except EngineError as error:
        if "executable file not found" not in error.what:
            raise
        return Spoken(127, error.what.encode(), b"")  # some engines say so in another way


def _resolved(client: DockerClient, container: str, path: str) -> str:
    at = PurePosixPath("/")
    for part in PurePosixPath(path).parts[1:]:
        at = PurePosixPath(_target(client, container, str(at / part)) or at / part)
    return str(at)


def _target(client: DockerClient, container: str, path: str) -> str:
    """Where the link at the path's end leads, through whatever links follow; empty: it is none.

    By `HEAD /containers/{id}/archive`. Raises Unreadable where nothing is there.
    """
    address = f"{client.api.base_url}/v{client.api.api_version}/containers/{container}/archive"
    with client.api.head(address, params={"path": path}, timeout=client.api.timeout) as answer:
        if answer.status_code == 404:
            raise Unreadable(f"there is no {path} in the container")
        client.api._raise_for_status(answer)
        found = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
    return str(found.get("linkTarget") or "")


def _only_file(pieces: Iterable[bytes], path: str, limit: int) -> InsideFile:
    packed = bytearray()
    for piece in pieces:
        packed += piece
        if len(packed) > limit + (64 << 10):
            raise Unreadable(f"{path} is far too large: more than {limit} bytes")
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            member = tar.next()
            content = tar.extractfile(member) if member is not None and member.isreg() else None
            if member is None or content is None:
                raise Unreadable(f"{path} is no file")
            return InsideFile(content.read(), float(member.mtime))
    except tarfile.TarError as error:
        raise ValueError(f"the archive cannot be read: {error}") from None


def _frames(raw: Any, limit: int) -> tuple[bytes, bytes, bool]:
    """Standard output and error of a stream (Docker Engine API, attach: a header of eight bytes before each piece)."""
    streams: dict[int, bytearray] = {1: bytearray(), 2: bytearray()}
    for stream, piece in _pieces(raw):
        kept = streams.get(stream)
        if kept is None:
            raise ValueError(f"what the program said came in a stream {stream}")
        if len(kept) + len(piece) > limit:
            kept += piece[: limit - len(kept)]
            return bytes(streams[1]), bytes(streams[2]), True
        kept += piece
    return bytes(streams[1]), bytes(streams[2]), False


def _pieces(raw: Any) -> Iterator[tuple[int, bytes]]:
    while header := _exactly(raw, _HEADER):
        yield header[0], _exactly(raw, int.from_bytes(header[4:], "big"))


def _exactly(raw: Any, size: int) -> bytes:
    """So many bytes; none at the stream's end."""
    taken = bytearray()
    while len(taken) < size:
        piece = raw.read(size - len(taken))
        if not piece:
            if taken:
                raise ValueError("what the program said broke off")
            break
        taken += piece
    return bytes(taken)
