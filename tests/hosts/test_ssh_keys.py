"""Keys and certificates of every type, from files and from an agent, let us in; what is shown of them is true."""

from __future__ import annotations

import getpass
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.hosts.errors import NotLetIn
from tests.hosts.conftest import OpenHosts
from tests.hosts.ssh_bench import Bench, make_key, public

BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])
TYPES = ("ed25519", "ecdsa", "rsa")


class Agent:
    """An ssh-agent of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "agent"
        self._process = subprocess.Popen(
            ["ssh-agent", "-D", "-a", str(self.socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def add(self, key: Path) -> None:
        """With its certificate, if there is one beside it."""
        for _ in range(200):
            added = subprocess.run(
                ["ssh-add", "-q", str(key)],
                env={**os.environ, "SSH_AUTH_SOCK": str(self.socket)},
                capture_output=True,
                check=False,
            )
            if added.returncode == 0:
                return
        raise AssertionError(added.stderr)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    yield agent
    agent.stop()


def certify(key: Path, ca: Path, principals: str = "") -> None:
    subprocess.run(
        [
            *("ssh-keygen", "-q", "-s", str(ca), "-I", f"id of {key.name}", "-V", "-1d:+1d"),
            *("-n", principals or getpass.getuser(), f"{key}.pub"),
        ],
        check=True,
        capture_output=True,
    )


def offer(bench: Bench, key: Path) -> None:
    bench.authorized.write_text(public(key) + "\n")
    bench.key = key


@BOTH
@pytest.mark.parametrize("key_type", [*TYPES, "rsa-pem", "ecdsa-pem"])
async def test_a_key_on_file(bench: Bench, open_hosts: OpenHosts, transport: str, key_type: str) -> None:
    kind, _, pem = key_type.partition("-")
    key = make_key(bench.folder / "key", kind)
    if pem:
        bench.to_pem(key)
        assert b"OPENSSH" not in bench.read(key)
    offer(bench, key)
    bench.sshd("a")
    shown = (await open_hosts(bench.site(transport=transport)).connection("a")).shown
    assert any(line.startswith("let in by: ") and str(key) in line for line in shown)


@BOTH
@pytest.mark.parametrize("key_type", TYPES)
async def test_a_key_in_the_agent(
    bench: Bench, agent: Agent, open_hosts: OpenHosts, transport: str, key_type: str
) -> None:
    key = make_key(bench.folder / "key", key_type)
    agent.add(key)
    offer(bench, key)
    key.unlink()
    bench.sshd("a", f"IdentityAgent {agent.socket}")
    shown = (await open_hosts(bench.site(transport=transport)).connection("a")).shown
    assert any(line.startswith("let in by: ") and "(agent, key)" in line for line in shown)


@BOTH
@pytest.mark.parametrize("case", itertools.product(TYPES, ("file", "agent", "only the key in the agent")))
async def test_a_certificate(
    bench: Bench, agent: Agent, open_hosts: OpenHosts, transport: str, case: tuple[str, str]
) -> None:
    key_type, held = case
    ca = make_key(bench.folder / "user_ca")
    key = make_key(bench.folder / "key", key_type)
    if held.startswith("only"):
        agent.add(key)
    certify(key, ca)
    if held == "agent":
        agent.add(key)
    bench.authorized.write_text("")
    bench.key = key
    if held != "file":
        key.unlink()
    bench.sshd("a", f"IdentityAgent {agent.socket}", TrustedUserCAKeys=f"{ca}.pub")
    shown = (await open_hosts(bench.site(transport=transport)).connection("a")).shown
    assert any("“id of key”" in line and f"for {getpass.getuser()}, valid until" in line for line in shown)


@BOTH
async def test_the_agents_other_keys_are_not_offered_where_identities_are_limited(
    bench: Bench, agent: Agent, open_hosts: OpenHosts, transport: str
) -> None:
    agent.add(bench.key)
    other = make_key(bench.folder / "other")
    bench.key = other
    bench.sshd("a", f"IdentityAgent {agent.socket}")
    with pytest.raises(NotLetIn) as refused:
        await open_hosts(bench.site(transport=transport)).connection("a")
    assert str(other) in refused.value.what
    assert "(agent" not in refused.value.what


async def test_an_agent_that_does_not_answer_holds_up_nothing_else(
    bench: Bench, agent: Agent, open_hosts: OpenHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checks.hosts.ssh_agent.LIST_DEADLINE", 0.5)
    agent.add(bench.key)
    agent.freeze()
    bench.sshd("a", f"IdentityAgent {agent.socket}")
    assert (await open_hosts(bench.site(transport="paramiko")).connection("a")).alive
