"""The lab itself, by the system's own ssh: what it lets in, what it refuses, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ssh_lab.client import ssh_agent
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.namespaces import ROOT
from tests.ssh_lab.plan import PASSWORD


@pytest.mark.parametrize("alias", ["jump", "alpha", "beta", "beta-far"])
def test_every_machine_lets_the_operator_in(ssh_lab: Lab, alias: str) -> None:
    done = ssh_lab.client().ssh(alias, "hostname; id -un")
    assert done.stdout.split() == [alias.removesuffix("-far"), "deploy"], done.stderr


def test_only_the_jump_host_is_reached_directly(ssh_lab: Lab) -> None:
    assert _greeting(ssh_lab.jump_address).startswith(b"SSH-2.0-OpenSSH")
    assert ssh_lab.jump.read("/proc/sys/net/ipv4/ip_forward") == "0\n"
    for host in (ssh_lab.alpha, ssh_lab.beta):
        assert _greeting(host.address) == b""


@pytest.mark.parametrize("identity", ["wrong-principal", "expired", "not-yet-valid", "other-ca", "other-address"])
def test_certificates_that_do_not_let_in(ssh_lab: Lab, identity: str) -> None:
    done = ssh_lab.client(identity=identity).ssh("alpha", "true")
    assert (done.returncode, "Permission denied (publickey)" in done.stderr) == (255, True), done.stderr


def test_a_good_certificate_lets_in(ssh_lab: Lab) -> None:
    assert ssh_lab.client(identity="certified").ssh("alpha-ops", "id -un").stdout == "ops\n"
    (ssh_lab.keys / "bare").write_bytes((ssh_lab.keys / "certified").read_bytes())
    (ssh_lab.keys / "bare").chmod(0o600)
    assert ssh_lab.client(identity="bare").ssh("alpha-ops", "id -un").returncode == 255, "it is the certificate"


def test_the_agent_s_keys_let_in(ssh_lab: Lab, tmp_path: Path) -> None:
    with ssh_agent(tmp_path, ssh_lab.keys / "certified") as agent:
        assert ssh_lab.client(identity="", agent=agent).ssh("alpha", "id -un").stdout == "deploy\n"
    with ssh_agent(tmp_path, ssh_lab.keys / "stranger") as agent:
        assert ssh_lab.client(identity="", agent=agent).ssh("alpha", "id -un").returncode == 255


@pytest.mark.parametrize(
    ("machine", "trust", "said"),
    [
        ("beta", "unknown", "No ED25519 host key is known"),
        ("beta", "changed", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        ("beta", "revoked", "REVOKED HOST KEY DETECTED"),
        ("alpha", "other-ca", "Host key verification failed"),
        ("jump", "changed", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
    ],
)
def test_machines_that_are_not_trusted(ssh_lab: Lab, machine: str, trust: str, said: str) -> None:
    done = ssh_lab.client(trust={machine: trust}).ssh(machine, "true")
    assert (done.returncode, said in done.stderr) == (255, True), done.stderr


def test_an_impostor_has_another_key(ssh_lab: Lab) -> None:
    client = ssh_lab.client()
    with ssh_lab.beta.impostor() as fingerprint:
        done = client.ssh("beta", "true")
        assert fingerprint in done.stderr
    assert client.ssh("beta", "true").returncode == 0


@pytest.mark.parametrize(
    ("account", "code", "said"),
    [
        ("deploy", 0, "asked:"),
        ("ops", 0, ""),
        ("guest", 1, "guest is not in the sudoers file"),
        ("limited", 1, "is not allowed to execute"),
        ("lectured", 0, "lecture"),
        ("ttyonly", 1, "you must have a tty"),
    ],
)
def test_sudo_in_its_variants(ssh_lab: Lab, account: str, code: int, said: str) -> None:
    done = ssh_lab.client().ssh(f"alpha-{account}", "sudo -k -S -p asked: sh -c 'id -u'", stdin=f"{PASSWORD}\n")
    assert (done.returncode, done.stdout) == (code, "" if code else "0\n"), done.stderr
    assert said in done.stderr


def test_no_user_s_environment_is_read(ssh_lab: Lab) -> None:
    assert ssh_lab.client().ssh("alpha", "echo ${LAB_USER_ENVIRONMENT-not}").stdout == "not\n"


def test_a_cable_that_is_pulled_is_silent(ssh_lab: Lab) -> None:
    client = ssh_lab.client(extra="ConnectTimeout 2")
    with ssh_lab.jump.cut():
        assert "timed out" in client.ssh("alpha", "true").stderr
    assert client.ssh("alpha", "true").returncode == 0


def test_a_line_can_be_slow_and_lose_packets(ssh_lab: Lab) -> None:
    client = ssh_lab.client(extra="ConnectTimeout 3")
    with ssh_lab.jump.bad_line(delay=100):
        started = time.monotonic()
        assert client.ssh("jump", "true").returncode == 0
        assert time.monotonic() - started > 0.8, "a connection takes many round trips"
    with ssh_lab.jump.bad_line(loss=100):
        assert client.ssh("jump", "true").returncode == 255
    assert client.ssh("jump", "true").returncode == 0


def test_systemctl_shows_what_a_unit_is(ssh_lab: Lab) -> None:
    ssh_lab.alpha.unit("pcscd.service", Id="pcscd.service", LoadState="masked", ActiveState="inactive")
    client = ssh_lab.client()
    shown = client.ssh("alpha", "systemctl show --property=LoadState,ActiveState -- pcscd nothing").stdout
    assert shown == "LoadState=masked\nActiveState=inactive\n\nLoadState=not-found\nActiveState=inactive\n"
    ssh_lab.alpha.remove("/run/lab/units/pcscd.service")


def test_what_a_machine_does_to_its_files_stays_there(ssh_lab: Lab) -> None:
    before = Path("/etc/passwd").read_bytes(), Path("/usr/bin/sudo").stat().st_ino
    ssh_lab.alpha.write("/etc/touched", "yes")
    ssh_lab.alpha.write("/usr/local/touched", "yes")
    assert not Path("/etc/touched").exists()
    assert not Path("/usr/local/touched").exists()
    assert not ssh_lab.beta.exists("/etc/touched")
    assert (Path("/etc/passwd").read_bytes(), Path("/usr/bin/sudo").stat().st_ino) == before
    assert socket.gethostname() != "alpha"


def test_nothing_stays_when_the_tests_are_killed() -> None:
    process = subprocess.Popen([sys.executable, "-m", "tests.ssh_lab"], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().split()[2]).parents[1]
    interface = Path(f"/sys/class/net/lab{process.pid}")
    assert interface.exists()
    assert _processes_with(folder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while _processes_with(folder) or interface.exists() or folder.exists():
        assert time.monotonic() < deadline, _processes_with(folder)
        time.sleep(0.05)


def test_what_the_machine_lacks_is_said() -> None:
    argv = ["setpriv", "--bounding-set=-sys_admin,-net_admin", sys.executable, "-m", "tests.ssh_lab"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "needs CAP_NET_ADMIN, CAP_SYS_ADMIN" in done.stderr
    assert "Traceback" not in done.stderr


def _greeting(address: str) -> bytes:
    try:
        with socket.create_connection((address, 22), 1) as connection:
            return connection.recv(100)
    except OSError:
        return b""


def _processes_with(folder: Path) -> list[bytes]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if os.fsencode(folder) in line:
            found.append(line)
    return found
