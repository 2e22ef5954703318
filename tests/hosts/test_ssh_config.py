"""What `ssh -G` says, typed; and which transport follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.hosts.ssh_config import Hop, jumps, parse, resolve
from checks.hosts.transports import lacks


def test_file_names_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/op")
    monkeypatch.setenv("KEYS", "/keys")
    settings = parse(
        "hostname ca.example\nuser deploy\nport 2222\nidentityfile ~/.ssh/id_%h_%p\nidentityfile %d/100%%\n"
        "certificatefile ${KEYS}/%r@%n-cert.pub\nidentityagent ~/agent\nuserknownhostsfile ~/.ssh/a /b\n"
        "globalknownhostsfile none\nconnecttimeout 7\nidentitiesonly yes\nproxycommand none\n",
        alias="ca",
    )
    assert settings.identity_files == (Path("/home/op/.ssh/id_ca.example_2222"), Path("/home/op/100%"))
    assert settings.certificate_files == (Path("/keys/deploy@ca-cert.pub"),)
    assert settings.known_hosts == (Path("/home/op/.ssh/a"), Path("/b"))
    assert (settings.agent, settings.connect_timeout, settings.identities_only) == ("/home/op/agent", 7.0, True)
    assert (settings.known_as, settings.proxy_command) == ("[ca.example]:2222", "")


@pytest.mark.parametrize(
    ("said", "agent"),
    [
        ("", "/run/a"),
        ("identityagent SSH_AUTH_SOCK", "/run/a"),
        ("identityagent $OTHER", "/run/b"),
        ("identityagent none", ""),
    ],
)
def test_which_agent(monkeypatch: pytest.MonkeyPatch, said: str, agent: str) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/a")
    monkeypatch.setenv("OTHER", "/run/b")
    assert parse(said, alias="ca").agent == agent


@pytest.mark.parametrize(
    ("spelled", "hops"),
    [
        ("jump", (Hop("jump"),)),
        ("op@jump:2222", (Hop("jump", "op", 2222),)),
        ("ssh://op@[::1]:2222/", (Hop("::1", "op", 2222),)),
        ("fe80::1", (Hop("fe80::1"),)),
        ("a,op@b:1", (Hop("a"), Hop("b", "op", 1, "a"))),
        ("a,b,c", (Hop("a"), Hop("b", via="a"), Hop("c", via="a,b"))),
        ("none", ()),
    ],
)
def test_jump_hosts(spelled: str, hops: tuple[Hop, ...]) -> None:
    assert jumps(parse(f"proxyjump {spelled}", alias="ca")) == hops


async def test_a_configuration_is_read_by_openssh_itself(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.write_text("Host ca\n  HostName 192.0.2.7\n  ProxyJump jump\n")
    config = tmp_path / "config"
    config.write_text(f'Include "{more}"\nMatch host 192.0.2.7\n  User root\nHost *\n  Port 2200\n  User nobody\n')
    settings = await resolve(Hop("ca"), config=config)
    assert (settings.hostname, settings.port, settings.proxy_jump) == ("192.0.2.7", 2200, "jump")
    settings = await resolve(Hop("ca", "op", 22, via=""), config=config)
    assert (settings.user, settings.port, settings.proxy_jump) == ("op", 22, "")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("proxycommand nc %h %p", "ProxyCommand"),
        ("knownhostscommand /bin/x", "KnownHostsCommand"),
        ("revokedhostkeys /etc/ssh/revoked", "RevokedHostKeys"),
        ("pkcs11provider /usr/lib/opensc-pkcs11.so", "PKCS11Provider"),
        ("hostbasedauthentication yes", "HostbasedAuthentication"),
        ("kexalgorithms sntrup761x25519-sha512@openssh.com", "KexAlgorithms"),
        ("ciphers chacha20-poly1305@openssh.com", "Ciphers"),
        ("hostkeyalgorithms ssh-ed25519-cert-v01@openssh.com", "HostKeyAlgorithms"),
    ],
)
def test_what_paramiko_does_not_have(line: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    assert lacks(parse(line, alias="ca")) == (name,)


def test_a_key_on_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    settings = parse(f"identityfile {tmp_path}/key", alias="ca")
    (tmp_path / "key.pub").write_text("sk-ssh-ed25519@openssh.com AAAA")
    assert lacks(settings) == (), "a public key alone chooses a key in the agent"
    (tmp_path / "key").touch()
    assert lacks(settings) == (f"a key on a FIDO2 device, {tmp_path}/key",)


async def test_openssh_as_it_comes_needs_nothing_that_paramiko_lacks(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    assert lacks(await resolve(Hop("ca"), config=tmp_path / "config")) == ()


def test_kerberos_counts_where_there_is_a_ticket(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = parse("gssapiauthentication yes", alias="ca")
    monkeypatch.setenv("KRB5CCNAME", "/tmp/ticket")
    assert lacks(settings)
