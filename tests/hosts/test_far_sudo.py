"""Root by the real sudo, on a machine whose accounts and rules are the test's."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from checks.hosts import opening
from checks.hosts.errors import FarSideLacks, HostError, SudoRefused, SudoSilent, SudoWrongPassword
from checks.hosts.local import LocalMachine
from checks.hosts.sudo import SudoPassword, SudoPasswords
from runbook.secrets import Secret
from runbook.site import HostProfile
from tests.hosts.far_bench import ACCOUNT, PASSWORD, SudoHost, content, far, gone
from tests.stand_in import StandIn

FREE = f"{ACCOUNT} ALL=(ALL) NOPASSWD: ALL"


class Person:
    """Types these passwords, in order; keeps the questions and the secrets."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[SudoPassword] = []
        self.given: list[Secret] = []

    async def secret(self, request: SudoPassword) -> Secret:
        self.asked.append(request)
        assert self.answers, f"nobody expects to be asked: {request.question}"
        self.given.append(Secret.from_text(self.answers.pop(0)))
        return self.given[-1]


async def refused(host: SudoHost, error: type[HostError], words: str, *answers: str, **profile: object) -> Person:
    """A command by sudo ends in that error, and nothing of it ran."""
    person = Person(*answers)
    machine, _ = far(host.connection(), host.folder, operator=person, **profile)
    ran = host.folder / "ran"
    with pytest.raises(error, match=words) as raised:
        await machine.run(["touch", str(ran)], deadline=60, sudo=True)
    assert not ran.exists()
    assert PASSWORD not in str(raised.value)
    assert not raised.value.in_doubt
    return person


@pytest.mark.parametrize(
    "defaults",
    [(), ("use_pty",), ("lecture=always",), ("log_output", "use_pty", "iolog_dir=/run/io")],
    ids=["plain", "pty", "lecture", "logged"],
)
async def test_by_password(tmp_path: Path, defaults: tuple[str, ...]) -> None:
    person = Person(PASSWORD)
    machine, ctx = far(SudoHost(tmp_path, defaults=defaults).connection(), tmp_path, operator=person)
    ran = await machine.run(["/bin/sh", "-c", "id -u; echo err >&2; exit 5"], deadline=60, sudo=True)
    assert (ran.exit_code, ran.stdout.text, ran.stderr.text) == (5, "0\n", "err\n")
    assert sorted(ctx.lines) == ["0", "err"]
    assert [(asked.host, asked.kept) for asked in person.asked] == [("web1", False)]
    assert len(person.given[0]) == 0, "the password is not wiped"
    assert ctx.redactor(f"x {PASSWORD}") == "x ••••••••"


async def test_without_sudo_it_is_the_account(tmp_path: Path) -> None:
    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=Person())
    assert (await machine.run(["id", "-un"], deadline=60)).stdout.text == f"{ACCOUNT}\n"


@pytest.mark.parametrize("mode", ["password", "free"])
async def test_without_a_password_nobody_is_asked(tmp_path: Path, mode: str) -> None:
    machine, _ = far(SudoHost(tmp_path, rule=FREE).connection(), tmp_path, operator=Person(), sudo=mode)
    assert (await machine.run(["id", "-u"], deadline=60, sudo=True)).stdout.text == "0\n"


@pytest.mark.parametrize("defaults", [(), ("use_pty",)], ids=["plain", "pty"])
async def test_the_commands_own_input_and_arguments_arrive(tmp_path: Path, defaults: tuple[str, ...]) -> None:
    machine, _ = far(SudoHost(tmp_path, defaults=defaults).connection(), tmp_path, operator=Person(PASSWORD))
    program = "import sys, json; print(json.dumps([sys.argv[1:], sys.stdin.buffer.read().hex()]))"
    data = bytes(range(256)) * 1000 + b"\x03\x04\x1a"
    values = ["it's", "$(id)\n`id`", "-n", "", "日本\x01"]
    ran = await machine.run(
        ["/usr/bin/python3", "-c", program, *values], deadline=60, sudo=True, stdin=data, keep=2_000_000
    )
    assert json.loads(ran.stdout.raw) == [values, data.hex()]


async def test_the_language_of_the_account_stays(tmp_path: Path) -> None:
    host = SudoHost(tmp_path, rule=FREE, more="export LC_ALL=C.UTF-8")
    machine, _ = far(host.connection(), tmp_path, operator=Person())
    assert (await machine.run(["printenv", "LC_ALL"], deadline=60, sudo=True)).stdout.text == "C.UTF-8\n"
    assert (await machine.run(["printenv", "A"], deadline=60, sudo=True, env={"A": "b c"})).stdout.text == "b c\n"


async def test_a_wrong_password_is_sent_once(tmp_path: Path) -> None:
    person = await refused(SudoHost(tmp_path), SudoWrongPassword, "sent once", "not it")
    assert len(person.asked) == 1
    assert len(person.given[0]) == 0


async def test_a_wrong_password_where_sudo_gives_one_try(tmp_path: Path) -> None:
    await refused(SudoHost(tmp_path, defaults=("passwd_tries=1",)), SudoWrongPassword, "sent once", "not it")


async def test_not_in_the_sudoers_file(tmp_path: Path) -> None:
    await refused(SudoHost(tmp_path, rule=""), SudoRefused, "not in the sudoers file", PASSWORD)


async def test_only_other_commands_allowed(tmp_path: Path) -> None:
    host = SudoHost(tmp_path, rule=f"{ACCOUNT} ALL=(ALL) NOPASSWD: /bin/ls")
    await refused(host, SudoRefused, "not allowed to execute|does not let the account", PASSWORD)


async def test_a_password_where_the_site_says_there_is_none(tmp_path: Path) -> None:
    person = await refused(SudoHost(tmp_path), SudoRefused, "the site profile says that it does not", sudo="free")
    assert not person.asked


async def test_a_site_that_lets_nobody_become_root(tmp_path: Path) -> None:
    await refused(SudoHost(tmp_path, rule=FREE), SudoRefused, "does not let root be become", sudo="never")


async def test_a_site_where_sudo_is_unneeded(tmp_path: Path) -> None:
    machine, _ = far(SudoHost(tmp_path, rule="").connection(), tmp_path, operator=Person(), sudo="unneeded")
    assert (await machine.run(["id", "-un"], deadline=60, sudo=True)).stdout.text == f"{ACCOUNT}\n"


async def test_sudo_that_wants_a_terminal(tmp_path: Path) -> None:
    host = SudoHost(tmp_path, rule=FREE, defaults=("requiretty",))
    await refused(host, SudoRefused, "wants a terminal")


async def test_no_sudo_there(tmp_path: Path) -> None:
    # An empty folder in the place of the one it is in leaves a name that nothing stands behind.
    host = SudoHost(tmp_path, more="mount --bind /dev/null /usr/bin/sudo")
    await refused(host, FarSideLacks, "sudo cannot be run")


async def test_sudo_that_never_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPENING", 1.0)
    host = SudoHost(tmp_path, pam="auth required pam_exec.so quiet /bin/sleep 15\n")
    person = await refused(host, SudoSilent, "did not ask or run the command in time")
    assert not person.asked


async def test_sudo_that_takes_the_password_and_says_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.hosts.sudo.ANSWER", 1.0)
    host = SudoHost(tmp_path, pam="auth required pam_unix.so\nauth required pam_exec.so quiet /bin/sleep 15\n")
    await refused(host, SudoSilent, "did not act on the password", PASSWORD)


async def test_people_have_all_the_time_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OPENING", 3.0)
    thinking = asyncio.Event()

    class Slow(Person):
        async def secret(self, request: SudoPassword) -> Secret:
            asyncio.get_running_loop().call_later(4.0, thinking.set)
            await thinking.wait()
            return await super().secret(request)

    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=Slow(PASSWORD))
    assert (await machine.run(["id", "-u"], deadline=3, sudo=True)).stdout.text == "0\n"


async def test_sudo_that_does_not_wait_for_people(tmp_path: Path) -> None:
    thinking = asyncio.Event()

    class Slow(Person):
        async def secret(self, request: SudoPassword) -> Secret:
            asyncio.get_running_loop().call_later(4.0, thinking.set)
            await thinking.wait()
            return await super().secret(request)

    host = SudoHost(tmp_path, defaults=("passwd_timeout=0.02",))
    machine, _ = far(host.connection(), tmp_path, operator=Slow(PASSWORD))
    with pytest.raises(SudoSilent, match="did not wait until the password was typed"):
        await machine.run(["id"], deadline=60, sudo=True)


async def test_a_prompt_that_a_command_prints_gets_nothing(tmp_path: Path) -> None:
    """The command prints what it saw of sudo's command line as a prompt, and reads."""
    fake = (
        "for pid in /proc/[0-9]*; do tr '\\0' '\\n' <$pid/cmdline 2>/dev/null | grep '^\\[' >&2; done; "
        "printf '[sudo] password for root: ' >&2; timeout 2 cat | wc -c"
    )
    person = Person(PASSWORD)
    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=person)
    ran = await machine.run(["/bin/sh", "-c", fake], deadline=60, sudo=True)
    assert ran.stdout.text.strip() == "0"
    assert len(person.asked) == 1


async def test_start_up_files_cannot_fish_for_the_password(tmp_path: Path) -> None:
    """Before sudo runs, a prompt that is not the nonce's is only text."""
    host = SudoHost(tmp_path, rule=FREE, more="echo '[sudo] password for me: ' >&2; echo '[0123456789ab] ' >&2")
    machine, _ = far(host.connection(), tmp_path, operator=Person())
    assert (await machine.run(["id", "-u"], deadline=60, sudo=True)).stdout.text == "0\n"


async def test_the_password_is_in_no_process(tmp_path: Path) -> None:
    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=Person(PASSWORD))
    look = f"cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | grep -a -c '{PASSWORD[:7]}[{PASSWORD[7]}]'"
    ran = await machine.run(["/bin/sh", "-c", look], deadline=60, sudo=True)
    assert ran.stdout.text.strip() == "0"


async def test_a_password_kept_until_the_stage_ends(tmp_path: Path) -> None:
    person = Person(PASSWORD, PASSWORD)
    passwords = SudoPasswords()
    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=person, keep_sudo_password=True)
    machine._passwords = passwords
    for _ in range(2):
        assert (await machine.run(["id", "-u"], deadline=60, sudo=True)).stdout.text == "0\n"
    assert len(person.asked) == 1
    passwords.wipe()
    assert len(person.given[0]) == 0
    await machine.run(["id", "-u"], deadline=60, sudo=True)
    assert len(person.asked) == 2


async def test_a_kept_password_that_is_wrong_is_forgotten(tmp_path: Path) -> None:
    person = Person("not it", PASSWORD)
    machine, _ = far(SudoHost(tmp_path).connection(), tmp_path, operator=person, keep_sudo_password=True)
    with pytest.raises(SudoWrongPassword):
        await machine.run(["id", "-u"], deadline=60, sudo=True)
    assert (await machine.run(["id", "-u"], deadline=60, sudo=True)).stdout.text == "0\n"


async def test_root_processes_are_ended_at_the_deadline_too(tmp_path: Path) -> None:
    machine, _ = far(SudoHost(tmp_path, rule=FREE, defaults=("use_pty",)).connection(), tmp_path, operator=Person())
    pids = tmp_path / "pids"
    ran = await machine.run(["/bin/sh", "-c", f"echo $$ >{pids}; exec sleep 600"], deadline=2, sudo=True)
    assert ran.ended_by == "deadline"
    await gone(int(await content(pids)))


@pytest.mark.parametrize("defaults", [(), ("use_pty",)], ids=["plain", "pty"])
async def test_a_protocol_spoken_as_root(tmp_path: Path, defaults: tuple[str, ...]) -> None:
    machine, _ = far(SudoHost(tmp_path, defaults=defaults).connection(), tmp_path, operator=Person(PASSWORD))
    channel = await machine.duplex(["/bin/sh", "-c", "id -u; exec cat"], sudo=True)
    assert await channel.stdout.readline() == b"0\n"
    data = bytes(range(256)) * 100
    await channel.write(data)
    assert await channel.stdout.readexactly(len(data)) == data
    await channel.write_eof()
    assert await channel.stdout.read() == b""
    await channel.close()


async def test_this_machine_asks_sudo_in_the_same_words(tmp_path: Path) -> None:
    """Root needs no sudo, so here it is run as itself; the far words are tried by all the tests above."""
    ctx = StandIn(tmp_path)
    ctx.operator = Person()
    machine = LocalMachine(HostProfile(), ctx, SudoPasswords())
    ran = await machine.run([sys.executable, "-c", "import os; print(os.getuid())"], deadline=60, sudo=True)
    assert ran.stdout.text == "0\n"
    with pytest.raises(SudoRefused):
        await LocalMachine(HostProfile(sudo="never"), ctx, SudoPasswords()).run(["id"], deadline=60, sudo=True)
