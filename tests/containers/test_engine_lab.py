"""A real engine behind a jump host, by real sshds."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from checks.containers.docker_engine import DockerEngine
from checks.containers.engine import connected
from checks.containers.errors import EngineLineLost, EngineNotResponding, EngineRefused, EngineUnreachable
from checks.evidence.engine import EngineInfo
from checks.hosts.errors import HostKeyUnknown, SudoRefused
from checks.hosts.hosts import Hosts
from runbook.outcome import Verdict
from runbook.site import EngineProfile
from tests.fake_context import ScriptedPins
from tests.ssh_lab.client import Client
from tests.ssh_lab.host import Host
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD
from tests.stand_in import StandIn

WITH_CGROUPS = """
if [ "$(stat -fc %T /proc/1/root/sys/fs/cgroup 2>/dev/null)" = cgroup2fs ] || ! grep -q devices /proc/cgroups; then
  mount -t cgroup2 cgroup /sys/fs/cgroup
else
  mount -t tmpfs cgroups /sys/fs/cgroup
  mkdir /sys/fs/cgroup/devices && mount -t cgroup -o devices cgroup /sys/fs/cgroup/devices
fi
exec "$0" "$@"
"""
"""The engine wants control groups, which a machine of the lab does not show."""

SOCKET = "/srv/docker/docker.sock"


@pytest.fixture(scope="module")
def host(ssh_lab: Lab) -> Iterator[Host]:
    """`beta` with an engine that root alone may use."""
    beta = ssh_lab.beta
    folder = SOCKET.rpartition("/")[0]
    beta.run("mkdir", "-p", folder)
    argv = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        WITH_CGROUPS,
        "dockerd",
        "--storage-driver=vfs",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
    ]
    argv += ["--ip-forward=false", "--host", f"unix://{SOCKET}", "--group", "root", "--pidfile", f"{folder}/pid"]
    argv += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    with subprocess.Popen(
        [*beta.inside.enter(), *argv],
        env=beta.inside.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stderr
        said = ""
        for line in engine.stderr:
            said += line
            if "API listen on" in line:
                break
        assert "API listen on" in said, said[-2000:]
        yield beta
        beta.run("sh", "-c", 'kill "$(cat "$1"/pid)"', "sh", folder)
        engine.communicate(timeout=60)
    beta.remove(folder)


async def step(client: Client, tmp_path: Path, **engine: object) -> StandIn:
    profile = EngineProfile.model_validate({"on": "beta", "url": f"unix://{SOCKET}", **engine})
    site = client.site().model_copy(update={"engines": {"ca": profile}})
    return StandIn(tmp_path, ScriptedPins(), site=site)


async def close(ctx: StandIn) -> None:
    await ctx.resources[Hosts].close()


async def test_root_reaches_it_and_only_the_first_connection_asks(ssh_lab: Lab, host: Host, tmp_path: Path) -> None:
    ctx = await step(ssh_lab.client(), tmp_path, sudo=True, name="beta")
    ctx.operator.secrets = [PASSWORD]
    outcome = await ctx.run(DockerEngine, engine="ca")
    await close(ctx)
    assert outcome.verdict is Verdict.PASSED, outcome
    (found,) = outcome.evidence
    assert isinstance(found, EngineInfo)
    assert found.name == "beta"
    assert any("host key" in line for line in found.reached), found.reached
    host.until("dial-stdio", running=False)


async def test_an_account_that_may_not_use_the_socket(ssh_lab: Lab, host: Host, tmp_path: Path) -> None:
    ctx = await step(ssh_lab.client(), tmp_path)
    with pytest.raises(EngineRefused):
        await ctx.run(DockerEngine, engine="ca")
    await close(ctx)


async def test_an_account_whom_sudo_does_not_know(ssh_lab: Lab, host: Host, tmp_path: Path) -> None:
    ctx = await step(ssh_lab.client(), tmp_path, sudo=True, on="beta-guest")
    ctx.operator.secrets = [PASSWORD]
    with pytest.raises(SudoRefused):
        await ctx.run(DockerEngine, engine="ca")
    await close(ctx)


async def test_an_engine_is_reached_by_the_rules_for_its_host(ssh_lab: Lab, host: Host, tmp_path: Path) -> None:
    ctx = await step(ssh_lab.client(trust={"beta": "unknown"}), tmp_path)
    with pytest.raises(HostKeyUnknown):
        await ctx.run(DockerEngine, engine="ca")
    await close(ctx)


async def test_no_engine_there(ssh_lab: Lab, host: Host, tmp_path: Path) -> None:
    ctx = await step(ssh_lab.client(), tmp_path, url="")
    with pytest.raises(EngineUnreachable):
        await ctx.run(DockerEngine, engine="ca")
    await close(ctx)


@pytest.mark.parametrize("how", ["killed", "cut"])
async def test_a_line_that_is_lost_ends_the_request_in_time(ssh_lab: Lab, host: Host, tmp_path: Path, how: str) -> None:
    ctx = await step(ssh_lab.client(), tmp_path, sudo=True, on="beta-ops")
    waiting = threading.Event()

    def wait_for_something(client: DockerClient) -> object:
        events = client.events()
        waiting.set()
        return next(events)

    async with connected(ctx, "ca") as engine:
        request = asyncio.ensure_future(engine.call(wait_for_something, deadline=5.0))
        assert await asyncio.to_thread(waiting.wait, 60)
        happens = host.sshd_killed() if how == "killed" else host.cut()
        with happens, pytest.raises((EngineLineLost, EngineNotResponding)) as raised:
            await request
    await close(ctx)
    assert how == "cut" or isinstance(raised.value, EngineLineLost)
