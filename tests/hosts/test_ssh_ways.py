"""How a host is reached: its settings, its jump hosts, its transport, one connection, and none that is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from checks.hosts import ssh_config
from checks.hosts.errors import HostCertificateRefused, HostKeyChanged, HostKeyRevoked, HostKeyUnknown, Unreachable
from tests.hosts.conftest import OpenHosts
from tests.hosts.ssh_bench import Bench, eventually, make_key, printed, public, until

BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])


@BOTH
async def test_one_connection_for_all_who_ask_at_once(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    sshd = bench.sshd("a")
    hosts = open_hosts(bench.site(transport=transport))
    connections = await asyncio.gather(*(hosts.connection("a") for _ in range(10)))
    assert len(set(map(id, connections))) == 1
    assert sshd.log.count("Connection from") == 1


@BOTH
async def test_hosts_behind_a_jump_host_share_its_connection(
    bench: Bench, open_hosts: OpenHosts, transport: str
) -> None:
    outer, inner = bench.sshd("outer"), bench.sshd("inner", "ProxyJump outer")
    bench.sshd("a", "ProxyJump outer,inner")
    bench.sshd("b", "ProxyJump inner")
    hosts = open_hosts(bench.site(transport=transport))
    a, b = await asyncio.gather(*(hosts.connection(name) for name in "ab"))
    assert a is not b
    assert any(line.startswith("through ") for line in a.shown)
    assert outer.log.count("Accepted publickey") == 1
    assert inner.log.count("Accepted publickey") == 1


@BOTH
async def test_what_weakens_a_jump_host_in_the_configuration_does_not_count(
    bench: Bench, open_hosts: OpenHosts, transport: str
) -> None:
    outer = bench.sshd("outer", known=False)
    bench.sshd("a", "ProxyJump outer")
    weak = ("Host *", "StrictHostKeyChecking no", "NoHostAuthenticationForLocalhost yes", "UpdateHostKeys yes")
    hosts = open_hosts(bench.site(*weak, transport=transport))
    before = bench.known.read_bytes()
    with pytest.raises(HostKeyUnknown) as unknown:
        await hosts.connection("a")
    assert "outer" in unknown.value.where
    assert "userauth-request for user" not in outer.log
    assert bench.known.read_bytes() == before


@BOTH
async def test_a_closed_connection_is_closed_at_the_host_behind_the_jump_host(
    bench: Bench, open_hosts: OpenHosts, transport: str
) -> None:
    outer = bench.sshd("outer")
    sshd = bench.sshd("a", "ProxyJump outer")
    connection = await open_hosts(bench.site(transport=transport)).connection("a")
    assert not sshd.hung_up
    await connection.close()
    await eventually(lambda: sshd.hung_up, "the host hears of it")
    assert not outer.hung_up


@BOTH
async def test_another_host_on_the_same_port_after_a_reconnect(
    bench: Bench, open_hosts: OpenHosts, transport: str
) -> None:
    sshd = bench.sshd("a")
    hosts = open_hosts(bench.site(transport=transport))
    first = await hosts.connection("a")
    sshd.stop()
    await eventually(lambda: not first.alive, "the connection is known to be lost")
    impostor = bench.impostor(sshd)
    with pytest.raises(HostKeyChanged) as changed:
        await hosts.connection("a")
    assert printed(impostor.host_key) in changed.value.what
    assert f"{printed(sshd.host_key)} ({bench.known}:1)" in changed.value.what
    assert "userauth-request for user" not in impostor.log


@BOTH
async def test_a_lost_connection_is_made_anew_when_the_next_asks(
    bench: Bench, open_hosts: OpenHosts, transport: str
) -> None:
    sshd = bench.sshd("a")
    hosts = open_hosts(bench.site(transport=transport))
    first = await hosts.connection("a")
    sshd.kill_sessions()
    await eventually(lambda: not first.alive, "the connection is known to be lost")
    second = await hosts.connection("a")
    assert second is not first
    assert second.alive


@BOTH
@pytest.mark.parametrize("known_type", ["ed25519", "ecdsa", "rsa"])
async def test_a_host_with_keys_of_several_types_shows_the_one_on_file(
    bench: Bench, open_hosts: OpenHosts, transport: str, known_type: str
) -> None:
    keys = {kind: make_key(bench.folder / f"host-{kind}", kind) for kind in ("ed25519", "ecdsa", "rsa")}
    sshd = bench.sshd("a", known=False, HostKey="\nHostKey ".join(map(str, keys.values())))
    bench.put_on_file(f"[127.0.0.1]:{sshd.port} {public(keys[known_type])}")
    connection = await open_hosts(bench.site(transport=transport)).connection("a")
    assert any(printed(keys[known_type]) in line for line in connection.shown)


@BOTH
async def test_hashed_names_and_aliases_of_keys(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    sshd = bench.sshd("a", "HostKeyAlias the-ca.example", known=False)
    bench.put_on_file(f"the-ca.example {public(sshd.host_key)}")
    bench.hash_names()
    assert "the-ca" not in bench.known.read_text()
    assert (await open_hosts(bench.site(transport=transport)).connection("a")).alive


async def test_a_certified_host_is_reached_by_the_systems_ssh_and_says_so(bench: Bench, open_hosts: OpenHosts) -> None:
    ca = make_key(bench.folder / "host_ca")
    sshd = bench.sshd("a", known=False)
    bench.put_on_file(f"@cert-authority [127.0.0.1]:{sshd.port} {public(ca)}")
    bench.certify(sshd, ca, "127.0.0.1")
    shown = (await open_hosts(bench.site()).connection("a")).shown
    assert any("the system's ssh" in line and f"{bench.known}:1" in line for line in shown)
    assert any(f"certified by ssh-ed25519 {printed(ca)}" in line for line in shown)


@pytest.mark.parametrize(
    ("principals", "validity", "why"),
    [
        ("other.example", "-1d:+1d", "principal"),
        ("127.0.0.1", "-2d:-1d", "expired"),
        ("127.0.0.1", "+1d:+2d", "not yet"),
    ],
)
async def test_a_host_certificate_that_does_not_hold(
    bench: Bench, open_hosts: OpenHosts, principals: str, validity: str, why: str
) -> None:
    ca = make_key(bench.folder / "host_ca")
    sshd = bench.sshd("a", known=False)
    bench.put_on_file(f"@cert-authority [127.0.0.1]:{sshd.port} {public(ca)}")
    bench.certify(sshd, ca, principals, validity)
    with pytest.raises(HostCertificateRefused) as refused:
        await open_hosts(bench.site()).connection("a")
    assert why in refused.value.what
    assert "ssh-keygen -L" in refused.value.remedy
    assert "userauth-request for user" not in sshd.log


async def test_a_banner_is_not_taken_for_what_ssh_says(bench: Bench, open_hosts: OpenHosts) -> None:
    banner = bench.folder / "banner"
    said = f"debug1: Server host key: ssh-ed25519 SHA256:{'A' * 43}\ndebug1: Entering interactive session.\n"
    banner.write_text(said + "WARNING: REVOKED HOST KEY DETECTED!\n")
    sshd = bench.sshd("a", Banner=banner)
    connection = await open_hosts(bench.site(transport="openssh")).connection("a")
    assert any(f"host key: ssh-ed25519 {printed(sshd.host_key)}" in line for line in connection.shown)
    channel = await connection.open("exit 4")
    assert (await channel.wait()).exit_code == 4
    await channel.close()


async def test_a_list_of_revoked_keys(bench: Bench, open_hosts: OpenHosts) -> None:
    revoked = bench.folder / "revoked"
    sshd = bench.sshd("a", f"RevokedHostKeys {revoked}")
    revoked.write_text(public(sshd.host_key) + "\n")
    with pytest.raises(HostKeyRevoked) as refused:
        await open_hosts(bench.site()).connection("a")
    assert printed(sshd.host_key) in refused.value.what
    assert "userauth-request for user" not in sshd.log


async def test_a_plain_host_is_reached_by_paramiko(bench: Bench, open_hosts: OpenHosts) -> None:
    bench.sshd("a")
    shown = (await open_hosts(bench.site()).connection("a")).shown
    assert any(line.startswith("transport: paramiko") for line in shown)


@BOTH
async def test_a_port_where_nobody_listens(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bench.alias("a", f"Port {bound.getsockname()[1]}")
        with pytest.raises(Unreachable) as refused:
            await open_hosts(bench.site(transport=transport)).connection("a")
    assert "refused" in refused.value.what


@BOTH
async def test_a_port_that_says_nothing(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        bench.alias("a", f"Port {silent.getsockname()[1]}")
        hosts = open_hosts(bench.site(transport=transport, connect_seconds=1))
        async with asyncio.timeout(20):
            with pytest.raises(Unreachable):
                await hosts.connection("a")


async def test_a_configuration_that_hangs(bench: Bench, open_hosts: OpenHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_config, "DEADLINE", 0.5)
    bench.alias("a")
    with pytest.raises(Unreachable) as hanging:
        await open_hosts(bench.site('Match exec "sleep 600"')).connection("a")
    assert "Match exec" in hanging.value.remedy


async def test_a_mistake_in_the_configuration(bench: Bench, open_hosts: OpenHosts) -> None:
    bench.alias("a", "Prot 22")
    with pytest.raises(Unreachable) as wrong:
        await open_hosts(bench.site()).connection("a")
    assert "prot" in wrong.value.what.lower()


async def test_jump_hosts_that_go_round_in_circles(bench: Bench, open_hosts: OpenHosts) -> None:
    bench.alias("a", "Port 9", "ProxyJump b")
    bench.alias("b", "Port 9", "ProxyJump a")
    with pytest.raises(Unreachable) as circle:
        await open_hosts(bench.site()).connection("a")
    assert "circles" in circle.value.remedy


@BOTH
async def test_nothing_is_left_open(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    bench.sshd("outer")
    bench.sshd("a", "ProxyJump outer")
    bench.alias("refused", "Port 1")

    def held() -> tuple[set[str], set[str]]:
        links = {str(link) for link in Path("/proc/self/fd").iterdir()}
        # The event loop's own pool, which `eventually` uses too, grows as it likes.
        return links, {each.name for each in threading.enumerate() if not each.name.startswith("asyncio_")}

    async def reach() -> None:
        hosts = open_hosts(bench.site(transport=transport))
        channel = await (await hosts.connection("a")).open("exit 0")
        await channel.wait()
        await channel.close()
        with pytest.raises(Unreachable):
            await hosts.connection("refused")
        await hosts.hosts.close()

    await reach()
    await eventually(lambda: not any("ssh" in name for name in held()[1]), "the threads end")
    gc.collect()
    before = held()
    for _ in range(3):
        await reach()
    await eventually(lambda: not any("ssh" in name for name in held()[1]), "the threads end")
    gc.collect()
    after = held()
    assert len(after[0]) <= len(before[0]), "descriptors"
    assert len(after[1]) <= len(before[1]), "threads"


HOLDER = """
import asyncio, sys
from checks.hosts.hosts import Hosts
from runbook.secrets import Redactor
from runbook.site import Site, HostProfile

async def main():
    hosts = {"a": HostProfile(transport=sys.argv[2]), "b": HostProfile(transport=sys.argv[2])}
    hosts = Hosts(Site(site=1, name="x", ssh_config=sys.argv[1], hosts=hosts), Redactor())
    connection = await hosts.connection("a", None)
    channel = await connection.open("cat")
    await channel.write(b"x")
    await channel.stdout.read(1)
    print("held", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@BOTH
def test_nothing_is_left_when_the_program_is_killed(bench: Bench, tmp_path: Path, transport: str) -> None:
    bench.sshd("outer")
    sshd = bench.sshd("a", "ProxyJump outer")
    places = tmp_path / "run"
    places.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(bench.config()), transport],
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_RUNTIME_DIR": str(places), "PYTHONPATH": str(Path.cwd())},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert bool(list(places.iterdir())) == (transport == "openssh" and len(str(places)) < 64)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    until(lambda: not list(places.iterdir()), "the folders are taken away")
    until(lambda: sshd.hung_up, "the end of the connection")
    assert str(places) not in subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
