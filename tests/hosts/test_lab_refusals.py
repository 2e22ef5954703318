"""Nobody is let in who should not be, and no host is believed that should not be; each refusal says why."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from checks.hosts.errors import (
    HostCertificateRefused,
    HostError,
    HostKeyChanged,
    HostKeyRevoked,
    HostKeyUnknown,
    NotLetIn,
)
from tests.hosts.reaching import TRANSPORTS, Reaching, Transport, reaching
from tests.ssh_lab.client import Client, Trust, ssh_agent
from tests.ssh_lab.keys import fingerprint
from tests.ssh_lab.lab import Lab

Reach = Callable[[Client], AbstractAsyncContextManager[Reaching]]


@pytest.fixture(params=TRANSPORTS)
def reach(request: pytest.FixtureRequest, tmp_path: Path) -> Reach:
    transport: Transport = request.param

    def make(client: Client) -> AbstractAsyncContextManager[Reaching]:
        return reaching(client, tmp_path, transport)

    return make


async def refusal(reach: Reach, client: Client, name: str) -> HostError:
    """What is said instead of a connection; nobody is asked for anything."""
    async with reach(client) as reached:
        with pytest.raises(HostError) as refused:
            await reached.connection(name)
        assert refused.value.remedy
        return refused.value


@pytest.mark.parametrize("name", ["beta", "jump", "beta-far"])
async def test_hosts_that_are_known_let_us_in(ssh_lab: Lab, reach: Reach, name: str) -> None:
    async with reach(ssh_lab.client(trust={"alpha": "key"})) as reached:
        machine = await reached.machine(name)
        finished = await machine.run(["hostname"], deadline=30)
        assert finished.stdout.text == f"{name.removesuffix('-far')}\n"
        assert any("host key" in line for line in machine.shown)


HOSTS_AND_HOPS = [("beta", "beta"), ("beta", "jump"), ("jump", "jump")]
"""The host that is wanted, and the one on the way to it that is wrong."""


@pytest.mark.parametrize(("wanted", "wrong"), HOSTS_AND_HOPS)
async def test_an_unknown_key(ssh_lab: Lab, reach: Reach, wanted: str, wrong: str) -> None:
    error = await refusal(reach, ssh_lab.client(trust={wrong: "unknown"}), wanted)
    assert isinstance(error, HostKeyUnknown), error
    assert wrong in error.where
    assert ssh_lab.host(wrong).fingerprint in error.what or "SHA256:" in error.what
    assert "compare" in error.remedy


@pytest.mark.parametrize(("wanted", "wrong"), HOSTS_AND_HOPS)
async def test_a_changed_key(ssh_lab: Lab, reach: Reach, wanted: str, wrong: str) -> None:
    error = await refusal(reach, ssh_lab.client(trust={wrong: "changed"}), wanted)
    assert isinstance(error, HostKeyChanged), error
    assert wrong in error.where
    assert ssh_lab.host(wrong).fingerprint in error.what
    assert fingerprint(ssh_lab.keys / "other-host-key.pub") in error.what
    assert "Stop" in error.remedy


@pytest.mark.parametrize(("wanted", "wrong"), HOSTS_AND_HOPS)
async def test_a_revoked_key(ssh_lab: Lab, reach: Reach, wanted: str, wrong: str) -> None:
    error = await refusal(reach, ssh_lab.client(trust={wrong: "revoked"}), wanted)
    assert isinstance(error, HostKeyRevoked), error
    assert wrong in error.where


@pytest.mark.parametrize(("wanted", "wrong"), HOSTS_AND_HOPS)
async def test_a_man_in_the_middle(ssh_lab: Lab, reach: Reach, wanted: str, wrong: str) -> None:
    host = ssh_lab.host(wrong)
    with host.impostor() as shown:
        before = len(host.log)
        error = await refusal(reach, ssh_lab.client(), wanted)
        heard = host.log[before:]
    assert isinstance(error, HostKeyChanged), error
    assert shown in error.what
    assert host.fingerprint in error.what
    assert "Connection from" in heard
    assert "deploy" not in heard, "whoever stands between does not learn who we are"


@pytest.mark.parametrize("trust", ["other-ca", "unknown"])
async def test_a_certificate_of_another_host_ca(ssh_lab: Lab, tmp_path: Path, trust: Trust) -> None:
    client = ssh_lab.client(trust={"alpha": trust})
    async with reaching(client, tmp_path, "auto") as reached:
        with pytest.raises((HostCertificateRefused, HostKeyUnknown)) as refused:
            await reached.connection("alpha")
    assert "alpha" in refused.value.where
    assert refused.value.remedy


async def test_a_host_certificate_lets_us_believe_the_host(ssh_lab: Lab, tmp_path: Path) -> None:
    async with reaching(ssh_lab.client(), tmp_path, "auto") as reached:
        connection = await reached.connection("alpha")
    shown = "\n".join(connection.shown)
    assert "openssh" in shown
    assert "certificate" in shown


@pytest.mark.parametrize("where", ["host", "jump"])
@pytest.mark.parametrize(
    "identity", ["wrong-principal", "expired", "not-yet-valid", "other-ca", "other-address", "stranger"]
)
async def test_a_certificate_or_key_that_does_not_count(ssh_lab: Lab, reach: Reach, identity: str, where: str) -> None:
    at = "identity" if where == "host" else "jump_identity"
    error = await refusal(reach, ssh_lab.client(**{at: identity}), "beta")
    assert isinstance(error, NotLetIn), error
    assert ("beta" if where == "host" else "jump") in error.where
    assert "deploy" in error.what
    offered = (identity, fingerprint(ssh_lab.keys / f"{identity}.pub"))
    assert any(name in error.what for name in offered), error


async def test_a_good_certificate(ssh_lab: Lab, reach: Reach) -> None:
    async with reach(ssh_lab.client(identity="certified", jump_identity="certified")) as reached:
        connection = await reached.connection("beta")
    assert "id of certified" in "".join(connection.shown)


@pytest.mark.parametrize("key", ["stranger", "expired", ""])
async def test_an_agent_without_the_key(ssh_lab: Lab, reach: Reach, tmp_path: Path, key: str) -> None:
    with ssh_agent(tmp_path, *([ssh_lab.keys / key] if key else [])) as agent:
        error = await refusal(reach, ssh_lab.client(identity="", agent=agent), "beta")
    assert isinstance(error, NotLetIn), error
    assert "ssh-add" in error.remedy


@pytest.mark.parametrize("key", ["operator", "certified"])
async def test_an_agent_with_the_key(ssh_lab: Lab, reach: Reach, tmp_path: Path, key: str) -> None:
    with ssh_agent(tmp_path, ssh_lab.keys / "stranger", ssh_lab.keys / key) as agent:
        async with reach(ssh_lab.client(identity="", jump_identity="", agent=agent)) as reached:
            assert (await reached.connection("beta")).alive


async def test_nothing_is_ever_put_on_file(ssh_lab: Lab, reach: Reach) -> None:
    client = ssh_lab.client(trust={"beta": "unknown"})
    before = (client.folder / "known_hosts").read_bytes()
    await refusal(reach, client, "beta")
    assert (client.folder / "known_hosts").read_bytes() == before
    assert sorted(path.name for path in client.folder.iterdir()) == ["known_hosts", "ssh_config"]
