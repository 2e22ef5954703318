"""known_hosts files are read as OpenSSH reads them: ssh-keygen -F is asked the same."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.hosts.errors import HostKeyChanged, HostKeyRevoked, HostKeyUnknown
from checks.hosts.host_keys import SeenKey, judge
from checks.hosts.known_hosts import Marker, about, parse, read_about
from checks.hosts.ssh_config import SshSettings
from checks.hosts.ssh_config import parse as parse_config
from tests.hosts.ssh_bench import make_key, public

KEY = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(32)).decode()
OTHER = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes([1] * 32)).decode()

labels = st.text("abc-1", min_size=1, max_size=3)
names = st.lists(labels, min_size=1, max_size=3).map(".".join).filter(lambda name: not name.startswith("-"))
patterns = st.one_of(
    names,
    names.map(lambda name: f"*.{name}"),
    names.map(lambda name: name[:-1] + "?"),
    names.map(lambda name: f"!{name}"),
    names.map(lambda name: f"[{name}]:2222"),
    st.just("*"),
)


@given(hosts=st.lists(patterns, min_size=1, max_size=3).map(",".join), name=names, port=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_patterns_match_as_they_do_for_ssh_keygen(tmp_path: Path, hosts: str, name: str, *, port: bool) -> None:
    wanted = f"[{name}]:2222" if port else name
    path = tmp_path / "known_hosts"
    path.write_text(f"{hosts} {KEY}\n")
    theirs = subprocess.run(["ssh-keygen", "-F", wanted, "-f", str(path)], capture_output=True, check=False)
    assert bool(about(parse(path.read_text(), path), wanted)) == (theirs.returncode == 0)


@given(name=names)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_hashed_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"{name} {KEY}\n[{name}]:2222 {OTHER}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    entries = parse(path.read_text(), path)
    assert [entry.line for entry in about(entries, name)] == [1]
    assert [entry.line for entry in about(entries, f"[{name}]:2222")] == [2]
    assert about(entries, name + "x") == []


@given(text=st.text(max_size=200))
def test_any_text_is_read_without_harm(text: str) -> None:
    for entry in parse(text, Path("f")):
        about([entry], "host")


def test_a_line_that_names_another_type_than_its_key_is_no_entry() -> None:
    assert parse(f"host ssh-rsa {KEY.split()[1]}\n# host {KEY}\n@other host {KEY}\nhost {KEY}", Path("f"))[0].line == 4


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"a {KEY}\n")
    assert len(read_about([path, tmp_path / "none"], ["a"])) == 1
    path.write_text(f"a {KEY}\na {OTHER}\n")
    assert len(read_about([path], ["a"])) == 2


def setting(port: int = 22, alias: str = "") -> SshSettings:
    said = f"hostname ca.example\nuser op\nport {port}\nuserknownhostsfile /k\n"
    return parse_config(said + (f"hostkeyalias {alias}\n" if alias else ""), alias="ca")


def seen(line: str) -> SeenKey:
    (entry,) = parse(f"x {line}", Path("x"))
    return SeenKey(entry.key_type, entry.fingerprint)


@pytest.mark.parametrize(
    ("file", "port", "verdict"),
    [
        (f"ca.example {KEY}", 22, None),
        (f"CA.Example {KEY}", 22, None),
        (f"[ca.example]:2222 {KEY}", 2222, None),
        (f"ca.example {KEY}", 2222, None),
        (f"[ca.example]:2222 {KEY}", 22, HostKeyUnknown),
        (f"ca.example {OTHER}", 22, HostKeyChanged),
        (f"ca.example {OTHER}", 2222, HostKeyUnknown),
        (f"ca.example {OTHER}\n*.example {KEY}", 22, None),
        (f"ca.example {KEY}\n@revoked * {KEY}", 22, HostKeyRevoked),
        (f"ca.example {KEY}\n@revoked other {KEY}", 22, None),
        (f"@cert-authority ca.example {KEY}", 22, HostKeyUnknown),
        (f"!ca.example,*.example {KEY}", 22, HostKeyUnknown),
        ("", 22, HostKeyUnknown),
    ],
)
def test_the_verdict(file: str, port: int, verdict: type[Exception] | None) -> None:
    entries = parse(file, Path("/k"))
    if verdict is None:
        assert judge(entries, setting(port), seen(KEY)).marker is Marker.KEY
        return
    with pytest.raises(verdict) as refused:
        judge(entries, setting(port), seen(KEY))
    assert seen(KEY).fingerprint in str(refused.value)


def test_an_alias_of_the_key_stands_for_name_and_port() -> None:
    entries = parse(f"the-ca {KEY}\n[ca.example]:2222 {OTHER}", Path("/k"))
    assert judge(entries, setting(2222, "the-ca"), seen(KEY)).line == 1


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", "ecdsa")
    listed = subprocess.run(["ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True, text=True, check=True)
    assert parse(f"h {public(key)}", Path("f"))[0].fingerprint == listed.stdout.split()[1]
