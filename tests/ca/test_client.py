"""One server, asked: which roots it leads to, where it is, and whatever it may say."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.ca.client import Client, message_of
from checks.ca.errors import (
    AnotherName,
    AnotherRoot,
    BrokenAnswer,
    NoAddress,
    NotInTime,
    NotJson,
    NotValidNow,
    Redirected,
    ServerError,
    TlsRefused,
    TooLarge,
    Unreachable,
    WrongStatus,
)
from checks.ca.exchange import Answer
from checks.ca.place import place_of
from checks.ca.trust import Trust, pinned
from runbook.errors import StepError
from tests.ca.conftest import Stage
from tests.ca.pki import HOUR, make, make_intermediate, make_root
from tests.ca.rogue import Rogue, answer, as_json
from tests.ca.step_ca_lab import NAME, URL
from tests.hosts.ssh_bench import free_port

OK = as_json({"status": "ok"})


def client(stage: Stage, server: Rogue, url: str = URL, seconds: float = 20.0, **more: float) -> Client:
    trust = pinned(stage.root.pem, stage.root_file)
    return Client(url, connect=server.connect, trust=trust, seconds=lambda: seconds, **more)


async def refused(asked: Client, path: str = "/health") -> ServerError:
    with pytest.raises(ServerError) as caught:
        await asked.json("GET", path)
    return caught.value


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def exchanges() -> int:
    """How many threads are in the middle of one."""
    frames = [traceback.extract_stack(frame) for frame in sys._current_frames().values()]
    return sum(any(step.filename.endswith("checks/ca/exchange.py") for step in stack) for stack in frames)


async def test_the_name_asked_for_is_the_urls_wherever_it_is_reached(stage: Stage) -> None:
    server = stage.serve(lambda *_: OK)
    assert await client(stage, server, f"{URL}:8443/base/").json("GET", "/health") == {"status": "ok"}
    assert server.requests == [("GET /base/health", b"")]
    assert f"Host: {NAME}:8443" in server.heads[0]
    assert "Accept-Encoding: identity" in server.heads[0]
    assert "uthorization" not in server.heads[0]


async def test_the_environment_has_no_say(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await client(stage, stage.serve(lambda *_: OK)).json("GET", "/health")


@pytest.mark.parametrize("same_names", [True, False])
async def test_another_root(stage: Stage, same_names: bool) -> None:
    """Also one whose certificates have the very names of the right ones."""
    root = make_root() if same_names else make_root("Somebody else")
    middle = make_intermediate(root) if same_names else make_intermediate(root, "Somebody's Intermediate")
    leaf = stage.leaf(issuer=middle)
    server = stage.serve(lambda *_: OK, leaf, middle, root)
    error = await refused(client(stage, server))
    assert isinstance(error, AnotherRoot)
    assert leaf.fingerprint in error.what
    assert middle.certificate.subject.rfc4514_string() in error.what
    assert not server.requests


async def test_a_certificate_without_a_root_a_self_signed_one_and_one_without_its_intermediate(stage: Stage) -> None:
    for leaf in (make(NAME, sans=(NAME,)), stage.leaf()):
        assert isinstance(await refused(client(stage, stage.serve(lambda *_: OK, leaf))), AnotherRoot)


async def test_a_pinned_root_is_the_only_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine trusts does not count beside it, and counts alone without it."""
    other = make_root("A public CA")
    file, _ = other.write(stage.folder, "public")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    server = stage.serve(lambda *_: OK, stage.leaf(issuer=other))
    assert isinstance(await refused(client(stage, server)), AnotherRoot)
    system = Client(URL, connect=server.connect, trust=Trust.system())
    assert await system.json("GET", "/health") == {"status": "ok"}


async def test_another_name(stage: Stage) -> None:
    server = stage.serve(lambda *_: OK, stage.leaf("other.example.org"), stage.intermediate)
    error = await refused(client(stage, server))
    assert isinstance(error, AnotherName)
    assert NAME in error.what
    assert "other.example.org" in error.what


async def test_a_common_name_is_no_name(stage: Stage) -> None:
    server = stage.serve(lambda *_: OK, make(NAME, stage.intermediate), stage.intermediate)
    assert isinstance(await refused(client(stage, server)), AnotherName)


@pytest.mark.parametrize(("start", "end"), [(-48, -24), (24, 48)])
async def test_a_certificate_that_is_not_valid_now(stage: Stage, start: int, end: int) -> None:
    now = dt.datetime.now(dt.UTC)
    leaf = make(NAME, stage.intermediate, sans=(NAME,), start=now + start * HOUR, end=now + end * HOUR)
    error = await refused(client(stage, stage.serve(lambda *_: OK, leaf, stage.intermediate)))
    assert isinstance(error, NotValidNow)


async def test_an_address_is_a_name_too(stage: Stage) -> None:
    server = stage.serve(lambda *_: OK, make("x", stage.intermediate, sans=("127.0.0.1",)), stage.intermediate)
    trust = pinned(stage.root.pem, stage.root_file)
    assert await Client(f"https://127.0.0.1:{server.port}", trust=trust).json("GET", "/health")


async def test_nothing_listens(stage: Stage) -> None:
    asked = Client(URL, connect=f"127.0.0.1:{free_port()}", trust=pinned(stage.root.pem, stage.root_file))
    error = await refused(asked)
    assert isinstance(error, Unreachable)
    assert "refused" in error.what


async def test_a_name_that_nobody_knows() -> None:
    asked = Client("https://nobody.invalid", trust=Trust.system())
    assert isinstance(await refused(asked), NoAddress)


async def test_it_hangs_up(stage: Stage) -> None:
    """As a forwarder does that has nothing behind it."""
    assert isinstance(await refused(client(stage, stage.without_tls(lambda *_: b""))), Unreachable)


async def test_no_tls(stage: Stage) -> None:
    error = await refused(client(stage, stage.without_tls(lambda *_: answer(400, b"plain"))))
    assert isinstance(error, TlsRefused)
    assert "does not speak TLS" in error.what


async def test_a_server_that_is_not_there_yet_is_waited_for(stage: Stage) -> None:
    port = free_port()
    trust = pinned(stage.root.pem, stage.root_file)
    asked = Client(URL, connect=f"127.0.0.1:{port}", trust=trust, patience=60)
    asking = asyncio.create_task(asked.json("GET", "/health"))
    await asyncio.sleep(0)  # let it begin
    server = stage.serve(lambda *_: OK)
    threading.Thread(target=_forward, args=(port, server.port), daemon=True).start()
    assert await asking == {"status": "ok"}


def _forward(port: int, to: int) -> None:
    """Hangs up at first, then carries one connection."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        listening.accept()[0].close()
        here = listening.accept()[0]
        with here, socket.create_connection(("127.0.0.1", to)) as there:
            back = threading.Thread(target=_copy, args=(there, here))
            back.start()
            _copy(here, there)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either side may have had enough
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


async def test_a_wrong_root_is_not_waited_for(stage: Stage) -> None:
    server = stage.serve(lambda *_: OK, stage.leaf(issuer=make_root()))
    begun = time.monotonic()
    assert isinstance(await refused(client(stage, server, patience=3600)), AnotherRoot)
    assert time.monotonic() - begun < 60


SLOW = {
    "nothing": lambda server: server.drip(repeat(b"", 10_000), 0.05),
    "a header line without an end": lambda server: server.drip(repeat(b"x", 10_000), 0.05),
    "headers without an end": lambda server: server.drip(iter([b"HTTP/1.1 200 OK\r\n", *[b"a: b\r\n"] * 90]), 0.1),
    "interim answers without an end": lambda server: server.drip(
        repeat(b"HTTP/1.1 100 Continue\r\n\r\n", 10_000), 0.01
    ),
    "a body byte by byte": lambda server: server.drip(
        iter([b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", *[b"x"] * 9999]), 0.05
    ),
    "a body in chunks": lambda server: server.drip(
        iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 9999]), 0.05
    ),
}


@pytest.mark.parametrize("how", list(SLOW))
async def test_a_slow_answer_ends_at_the_deadline(stage: Stage, how: str) -> None:
    server: Rogue = stage.serve(lambda *_: SLOW[how](server))
    begun = time.monotonic()
    assert isinstance(await refused(client(stage, server, seconds=1.0)), NotInTime)
    assert time.monotonic() - begun < 30


async def test_a_silent_server_ends_at_the_deadline(stage: Stage) -> None:
    """It takes the connection and does not even begin with TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        trust = pinned(stage.root.pem, stage.root_file)
        asked = Client(URL, connect=f"127.0.0.1:{silent.getsockname()[1]}", trust=trust, seconds=lambda: 1.0)
        assert isinstance(await refused(asked), NotInTime)


async def test_nothing_goes_on_after_it_was_given_up(stage: Stage) -> None:
    server: Rogue = stage.serve(lambda *_: server.drip(repeat(b"x", 100_000), 0.01))
    asking = asyncio.create_task(client(stage, server, seconds=60).json("GET", "/health"))
    await asyncio.to_thread(until, lambda: bool(server.requests))
    assert exchanges() == 1
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.to_thread(until, lambda: exchanges() == 0)


@pytest.mark.parametrize("chunked", [True, False])
async def test_an_answer_without_an_end(stage: Stage, chunked: bool) -> None:
    def flood() -> bytes:
        piece = b"x" * 65536
        return f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if chunked else piece

    coding = b"Transfer-Encoding: chunked\r\n" if chunked else b""
    server: Rogue = stage.serve(
        lambda *_: server.drip(iter([b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n", *repeat(flood(), 10_000)]), 0)
    )
    assert isinstance(await refused(client(stage, server)), TooLarge)


async def test_a_packed_answer_is_not_unpacked(stage: Stage) -> None:
    import gzip

    packed = answer(200, gzip.compress(b"0" * 100_000_000), "Content-Encoding: gzip")
    assert isinstance(await refused(client(stage, stage.serve(lambda *_: packed))), NotJson)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\xff\xfe garbage \r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http(stage: Stage, said: bytes) -> None:
    assert isinstance(await refused(client(stage, stage.serve(lambda *_: said))), BrokenAnswer)


async def test_http_of_old(stage: Stage) -> None:
    """HTTP/1.0 without a length: the end of the connection is the end of the answer."""
    server = stage.serve(lambda *_: b'HTTP/1.0 200 OK\r\n\r\n{"status":"ok"}')
    assert await client(stage, server).json("GET", "/health") == {"status": "ok"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirection_is_followed(stage: Stage, status: int) -> None:
    elsewhere = stage.serve(lambda *_: OK)
    server = stage.serve(lambda *_: answer(status, b"", f"Location: https://{NAME}:{elsewhere.port}/health"))
    error = await refused(client(stage, server))
    assert isinstance(error, Redirected)
    assert str(elsewhere.port) in error.what
    assert len(server.requests) == 1
    assert not elsewhere.requests


async def test_another_status_has_the_servers_own_words_made_harmless(stage: Stage) -> None:
    server = stage.serve(lambda *_: as_json({"status": 503, "message": "come \x1b[31mback\nlater"}, 503))
    error = await refused(client(stage, server))
    assert isinstance(error, WrongStatus)
    assert error.status == 503
    assert "come ␛[31mback␊later" in error.what
    assert "\x1b" not in str(error)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN'], ids=lambda body: body[:8]
)
async def test_what_is_not_json(stage: Stage, body: bytes) -> None:
    assert isinstance(await refused(client(stage, stage.serve(lambda *_: answer(200, body)))), NotJson)


@pytest.mark.parametrize(
    "url",
    [
        "http://ca.example.org",
        "ca.example.org",
        "https://",
        "https://user:word@ca.example.org",
        "https://ca.example.org:99999",
        "https://ca.example.org/?q=1",
    ],
)
def test_what_is_no_url_of_a_server(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic shows any ValueError at its place
        place_of(url, "")


@pytest.mark.parametrize("connect", ["host", "host:", ":9000", "host:x", "a@host:1", "host:1/x", "::1:9000"])
def test_what_is_no_place_to_connect_to(connect: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        place_of(URL, connect)


def test_places() -> None:
    assert place_of("https://ca.example.org", "").at == ("ca.example.org", 443)
    assert place_of("https://ca.example.org:9000/x", "[::1]:44").at == ("::1", 44)
    assert place_of("https://[2001:db8::1]", "").name == "2001:db8::1"


@given(st.binary(max_size=200), st.sampled_from(["", "text/plain", "application/json"]))
def test_any_error_can_be_told(body: bytes, content_type: str) -> None:
    said = message_of(Answer(500, {"content-type": content_type}, body, "TLSv1.3", b""))
    assert said.isprintable()


@pytest.mark.parametrize("bad", [b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_cannot_be_pinned(stage: Stage, bad: bytes) -> None:
    with pytest.raises(StepError):
        pinned(bad, stage.root_file)


def test_a_private_key_is_no_root(stage: Stage) -> None:
    with pytest.raises(StepError) as caught:
        pinned(stage.root.pem + stage.root.key_pem, stage.root_file)
    assert caught.value.symptom == "private key"
