"""Whatever the system's ssh says, it becomes an error of ours; and the host's key stays the same while it is used."""

from __future__ import annotations

import socket
from typing import Any

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hosts.errors import HostError
from checks.hosts.openssh_said import Said, failure
from checks.hosts.paramiko_transport import SshTransport
from checks.hosts.ssh_config import parse
from checks.hosts.ssh_keys import Candidates

LINES = (
    "debug1: Server host key: ssh-ed25519 SHA256:abc",
    'debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com SHA256:abc, serial 0 ID "x" CA ssh-rsa SHA256:d',
    "debug1: Offering public key: /k ED25519 SHA256:abc explicit",
    "debug1: Server accepts key: /k ED25519-CERT SHA256:abc agent",
    "debug1: Offering public key: ",
    "No ED25519 host key is known for x and you have requested strict checking.",
    "Certificate invalid: name is not a listed principal",
    "Host key verification failed.",
    "@    WARNING: REVOKED HOST KEY DETECTED!    @",
    "op@x: Permission denied (publickey,password).",
    "ssh: connect to host x port 22: Connection refused",
)


@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=60)), max_size=12))
def test_any_ending_is_an_error_for_people(lines: list[str]) -> None:
    said = Said()
    for line in lines:
        said.take(line)
    error = failure(said, parse("hostname x\nport 22\nuser op", alias="x"), [], Candidates())
    assert isinstance(error, HostError)
    assert error.remedy
    assert "\x1b" not in str(error)


async def test_another_host_key_when_the_sessions_keys_are_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    keys = iter((paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()))

    def verified(transport: Any, _key: bytes, _signature: bytes) -> None:
        transport.host_key = next(keys)

    monkeypatch.setattr(paramiko.Transport, "_verify_key", verified)
    transport = SshTransport(here, ["ecdsa-sha2-nistp256"])
    transport._verify_key(b"", b"")
    with pytest.raises(paramiko.SSHException, match="another key"):
        transport._verify_key(b"", b"")
    here.close()
    there.close()
