"""Passphrases, codes and passwords: asked once, behind a mask, sent once, and nowhere to be found afterwards."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checks.hosts.errors import NotLetIn
from runbook.errors import PromptCancelled
from tests.hosts.conftest import OpenHosts, Typist
from tests.hosts.otp_server import OtpServer
from tests.hosts.ssh_bench import Bench, make_key, public

BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])
PASSPHRASE = "correct horse, battery"


@pytest.fixture
def locked(bench: Bench) -> Path:
    key = make_key(bench.folder / "locked", passphrase=PASSPHRASE)
    bench.authorized.write_text(public(key) + "\n")
    bench.key = key
    return key


@BOTH
async def test_a_passphrase_is_asked_once_for_all_hosts(
    bench: Bench, locked: Path, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    bench.sshd("a")
    bench.sshd("b")
    typist.answers = [PASSPHRASE]
    hosts = open_hosts(bench.site(transport=transport))
    await hosts.connection("a")
    await hosts.connection("b")
    assert [question.question for question in typist.questions] == [f"Passphrase of {locked}"]


@BOTH
async def test_a_passphrase_is_forgotten_when_the_stage_ends(
    bench: Bench, locked: Path, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    bench.sshd("a")
    bench.sshd("b")
    typist.answers = [PASSPHRASE, PASSPHRASE]
    hosts = open_hosts(bench.site(transport=transport))
    await hosts.connection("a")
    await hosts.hosts.end_stage()
    await hosts.connection("b")
    assert len(typist.questions) == 2


@BOTH
async def test_a_wrong_passphrase(
    bench: Bench, locked: Path, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    bench.sshd("a")
    typist.answers = ["not it", PASSPHRASE]
    hosts = open_hosts(bench.site(transport=transport))
    with pytest.raises(NotLetIn) as refused:
        await hosts.connection("a")
    assert f"{locked}: the passphrase does not open it" in refused.value.what
    assert len(typist.questions) == 1
    assert (await hosts.connection("a")).alive, "it is asked for anew"


@BOTH
async def test_a_passphrase_for_a_key_that_the_host_does_not_take_is_not_asked_for(
    bench: Bench, locked: Path, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    bench.sshd("a")
    bench.authorized.write_text("")
    with pytest.raises(NotLetIn) as refused:
        await open_hosts(bench.site(transport=transport)).connection("a")
    assert str(locked) in refused.value.what
    assert not typist.questions


@BOTH
async def test_a_private_key_that_others_may_read(bench: Bench, open_hosts: OpenHosts, transport: str) -> None:
    bench.sshd("a")
    bench.key.chmod(0o644)
    with pytest.raises(NotLetIn) as refused:
        await open_hosts(bench.site(transport=transport)).connection("a")
    assert "others may read this private key" in refused.value.what


@pytest.fixture
async def otp(bench: Bench) -> AsyncIterator[OtpServer]:
    server = OtpServer(make_key(bench.folder / "otp-host", "ecdsa"))
    bench.alias("otp", f"Port {server.port}", "PreferredAuthentications keyboard-interactive")
    bench.put_on_file(f"[127.0.0.1]:{server.port} {public(bench.folder / 'otp-host')}")
    yield server
    server.stop()


@BOTH
async def test_a_password_and_a_one_time_code(
    bench: Bench, otp: OtpServer, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    typist.answers = ["the password", "123456"]
    connection = await open_hosts(bench.site(transport=transport)).connection("otp")
    assert connection.alive
    assert otp.answers == [["the password", "123456"]]
    assert [question.question.partition(" — ")[0].rpartition(") ")[2] for question in typist.questions] == [
        "Password",
        "One-time code",
    ]


@BOTH
async def test_a_wrong_code_is_sent_once(
    bench: Bench, otp: OtpServer, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    typist.answers = ["the password", "654321"]
    with pytest.raises(NotLetIn) as refused:
        await open_hosts(bench.site(transport=transport)).connection("otp")
    assert otp.answers == [["the password", "654321"]]
    assert "654321" not in str(refused.value)


@BOTH
async def test_a_question_that_is_left_sends_nothing(
    bench: Bench, otp: OtpServer, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    typist.answers = [PromptCancelled("left")]
    with pytest.raises(PromptCancelled):
        await open_hosts(bench.site(transport=transport)).connection("otp")
    assert otp.answers == []
    assert len(typist.questions) == 1


@BOTH
async def test_peoples_time_does_not_count(
    bench: Bench, otp: OtpServer, open_hosts: OpenHosts, typist: Typist, transport: str
) -> None:
    typist.takes = 1.2
    typist.answers = ["the password", "123456"]
    hosts = open_hosts(bench.site(transport=transport, connect_seconds=2))
    assert (await hosts.connection("otp")).alive


async def test_an_answer_is_in_no_argument_and_no_environment(
    bench: Bench, otp: OtpServer, open_hosts: OpenHosts, typist: Typist
) -> None:
    seen: list[bytes] = []

    def look() -> None:
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    seen.append((process / name).read_bytes())
                except OSError:
                    continue

    otp.before_verdict = look
    typist.answers = ["the password", "123456"]
    await open_hosts(bench.site(transport="openssh")).connection("otp")
    look()
    assert any(b"ssh" in text for text in seen)
    assert not [text for text in seen if b"the password" in text and str(os.getpid()).encode() not in text]
    assert not [text for text in seen if b"123456" in text.split(b"\0")]
