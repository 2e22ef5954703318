"""A real engine, on this machine and through a host's channel."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.containers.docker_engine import DockerEngine, _numbers
from checks.containers.engine import connected
from checks.containers.errors import (
    DockerMissing,
    EngineError,
    EngineNotResponding,
    EngineRefused,
    EngineTooOld,
    EngineUnreachable,
    UnknownEngine,
)
from checks.evidence.engine import EngineInfo
from checks.hosts.channel import Channel
from checks.hosts.far import FarMachine
from checks.hosts.hosts import Hosts
from checks.hosts.local import LocalConnection
from checks.hosts.machine import Machine
from checks.hosts.sudo import SudoPasswords
from runbook.context import Context
from runbook.outcome import Verdict
from runbook.secrets import Redactor
from runbook.site import EngineProfile, HostProfile, Site
from tests.stand_in import StandIn

HOSTS = {"far": HostProfile()}


class As(LocalConnection):
    """The host `far` is this machine, where commands run in an environment of the test's choice."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix

    async def open(self, command: str) -> Channel:
        return await super().open(self.prefix + command)


class OneHost(Hosts):
    def __init__(self, connection: LocalConnection) -> None:
        super().__init__(Site(site=1, name="test", hosts=HOSTS), Redactor())
        self._one = connection

    async def machine(self, name: str, ctx: Context) -> Machine:
        return FarMachine(name, self._one, HostProfile(), ctx, SudoPasswords())


def step(tmp_path: Path, profile: EngineProfile, prefix: str = "") -> StandIn:
    made = StandIn(tmp_path, site=Site(site=1, name="test", hosts=HOSTS, engines={"ca": profile}))
    made.resources[Hosts] = OneHost(As(prefix))
    return made


@pytest.fixture(params=["here", "far"])
def profile(request: pytest.FixtureRequest, dockerd: Path) -> EngineProfile:
    return EngineProfile(on="" if request.param == "here" else "far", url=f"unix://{dockerd}")


async def test_an_engine_that_answers(tmp_path: Path, profile: EngineProfile) -> None:
    outcome = await step(tmp_path, profile).run(DockerEngine, engine="ca", expect={"version": "20.10", "api": "1.40"})
    assert outcome.verdict is Verdict.PASSED, outcome
    (found,) = outcome.evidence
    assert isinstance(found, EngineInfo)
    assert found.name == socket.gethostname()
    assert found.storage == "vfs"
    assert (found.running, found.images) == (0, 0)


async def test_many_requests_at_once_each_get_their_own_answer(tmp_path: Path, profile: EngineProfile) -> None:
    async with connected(step(tmp_path, profile), "ca") as engine:
        names = [f"v{number}" for number in range(8)]
        made = await asyncio.gather(
            *(engine.call(lambda client, name=name: client.volumes.create(name).name) for name in names)
        )
        assert made == names
        for name in names:
            await engine.call(lambda client, name=name: client.volumes.get(name).remove())
        assert await engine.call(lambda client: client.volumes.list()) == []


async def test_another_engine_than_the_profile_says(tmp_path: Path, profile: EngineProfile) -> None:
    outcome = await step(tmp_path, profile.model_copy(update={"name": "ca-host"})).run(DockerEngine, engine="ca")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "other engine")
    assert "expected ca-host" in outcome.summary


async def test_an_engine_that_is_too_old_for_the_step(tmp_path: Path, profile: EngineProfile) -> None:
    outcome = await step(tmp_path, profile).run(DockerEngine, engine="ca", expect={"version": "999.1"})
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "engine too old")


def test_versions_are_compared_by_number() -> None:
    assert _numbers("20.10.24+dfsg1") == (20, 10, 24)
    assert _numbers("1.9") < _numbers("1.41")


# -- no engine ------------------------------------------------------------------------------------------------------


async def error_of(ctx: StandIn) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - its type is what the caller looks at
        await ctx.run(DockerEngine, engine="ca")
    assert getattr(raised.value, "symptom", "") in DockerEngine.symptoms
    return raised.value


@pytest.mark.parametrize("on", ["", "far"])
async def test_no_socket(tmp_path: Path, on: str) -> None:
    error = await error_of(step(tmp_path, EngineProfile(on=on, url="unix:///nowhere/docker.sock")))
    assert isinstance(error, EngineUnreachable)
    assert "nothing is there at the engine's socket" in error.what


@pytest.mark.parametrize("on", ["", "far"])
async def test_a_socket_that_nobody_serves(tmp_path: Path, on: str) -> None:
    path = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    error = await error_of(step(tmp_path, EngineProfile(on=on, url=f"unix://{path}")))
    assert isinstance(error, EngineUnreachable)
    assert "nothing answers" in error.what


async def test_an_account_that_may_not(tmp_path: Path, dockerd: Path) -> None:
    dockerd.parent.chmod(0o711)
    as_nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups /bin/sh -c "
    ctx = step(tmp_path, EngineProfile(on="far", url=f"unix://{dockerd}"))
    ctx.resources[Hosts] = OneHost(Nobody(as_nobody))
    error = await error_of(ctx)
    assert isinstance(error, EngineRefused)
    assert "group `docker`" in error.remedy


class Nobody(As):
    async def open(self, command: str) -> Channel:
        import shlex

        return await LocalConnection.open(self, self.prefix + shlex.quote(command))


async def test_a_host_without_docker(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("env", "head", "sh"):
        (tmp_path / "bin" / program).symlink_to(f"/usr/bin/{program}")
    error = await error_of(step(tmp_path, EngineProfile(on="far"), prefix=f"PATH={tmp_path}/bin; "))
    assert isinstance(error, DockerMissing)


async def test_an_engine_that_the_profile_does_not_have(tmp_path: Path) -> None:
    ctx = step(tmp_path, EngineProfile())
    with pytest.raises(UnknownEngine) as raised:
        await ctx.run(DockerEngine, engine="caa")
    assert "Did you mean `ca`?" in raised.value.remedy


# -- what is no engine of today -------------------------------------------------------------------------------------


@contextmanager
def answering(path: Path, body: bytes) -> Iterator[None]:
    """Something that answers every request with these bytes; none: it says nothing."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                if line == b"\r\n" and body:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(params=["", "far"])
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> StandIn:
    return step(tmp_path, EngineProfile(on=request.param, url=f"unix://{tmp_path}/fake"))


async def test_an_api_of_long_ago(fake: StandIn, tmp_path: Path) -> None:
    with answering(tmp_path / "fake", b'{"Version": "1.10", "ApiVersion": "1.22"}'):
        error = await error_of(fake)
    assert isinstance(error, EngineTooOld)
    assert "1.22" in error.what


@pytest.mark.parametrize("body", [b"<html>", b'{"Version": "1"}', b"[]"])
async def test_what_is_no_engine(fake: StandIn, tmp_path: Path, body: bytes) -> None:
    with answering(tmp_path / "fake", body):
        error = await error_of(fake)
    assert type(error) is EngineError
    assert "no engine" in error.what


async def test_one_that_says_nothing_ends_at_the_deadline(
    fake: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checks.containers.engine.CALL_DEADLINE", 0.5)
    with answering(tmp_path / "fake", b""):
        assert isinstance(await error_of(fake), EngineNotResponding)
