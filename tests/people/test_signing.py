"""Keys as people have them: in an agent, behind a passphrase, on a device; ssh-keygen asks for itself."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.operator import TerminalRequest
from runbook.people.approval import NAMESPACE
from runbook.people.ssh_keygen import CannotSign, Signers, sign, verify
from runbook.record.gate_events import ApprovalGiven
from runbook.record.journal import read_events
from runbook.text import clean_line
from tests.cli.bench import Bench, Terminal
from tests.people.keys import PRINCIPALS, Keys, keygen
from tests.people.test_refusals import NOW
from tests.people.test_witness_command import asking, journal_of, lay_out

PASSPHRASE = "korrekt-pferd"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A real ssh-agent, and the environment that reaches it."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()  # it listens now
    yield {"SSH_AUTH_SOCK": str(socket)}
    process.terminate()
    process.wait()


def load(keys: Keys, name: str, agent: dict[str, str]) -> None:
    """Into the agent; the private file is gone afterwards."""
    subprocess.run(["ssh-add", "-q", str(keys.folder / name)], env={**os.environ, **agent}, check=True)
    (keys.folder / name).unlink()


@pytest.fixture
def guarded(keys: Keys) -> Path:
    """Ben's key, now behind a passphrase."""
    keygen("-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", keys.folder / "ben")
    return keys.folder / "ben"


async def judged(keys: Keys, text: str, signature: str) -> str:
    signers = Signers(keys.allowed)
    return await verify(text, signature, NAMESPACE, signers=signers, principal=PRINCIPALS["ben"], at=NOW)


async def test_a_key_in_an_agent(keys: Keys, agent: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    load(keys, "ben", agent)
    public = keys.folder / "ben.pub"
    with pytest.raises(CannotSign):
        await sign(public, "text", NAMESPACE)
    monkeypatch.setenv("SSH_AUTH_SOCK", agent["SSH_AUTH_SOCK"])
    signature = await sign(public, "text", NAMESPACE)
    assert await judged(keys, "text", signature) == keygen("-l", "-f", public).split()[1]


async def test_a_passphrase_is_asked_by_nobody_without_a_terminal(
    guarded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\ntouch {asked}\n")
    askpass.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(CannotSign, match="there is no terminal for it"):
        await sign(guarded, "text", NAMESPACE)
    assert not asked.exists()


async def test_what_the_terminal_is_lent_for(guarded: Path, keys: Keys) -> None:
    """The command holds no secret, and the statement is the one that is signed."""
    seen: list[TerminalRequest] = []

    async def terminal(request: TerminalRequest) -> int:
        seen.append(request)
        keygen("-q", "-p", "-P", PASSPHRASE, "-N", "", "-f", guarded)
        keygen(*request.argv[1:])
        return 0

    signature = await sign(guarded, "text", NAMESPACE, terminal)
    (request,) = seen
    assert request.argv[:7] == ("ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(guarded))
    assert await judged(keys, "text", signature)
    assert not await asyncio.to_thread(Path(request.cwd).exists), "nothing is left behind"


async def test_a_wrong_passphrase(guarded: Path) -> None:
    async def terminal(request: TerminalRequest) -> int:
        return 255

    with pytest.raises(CannotSign, match="made no signature"):
        await sign(guarded, "text", NAMESPACE, terminal)


@pytest.mark.parametrize("content", ["", "hello\x1b[2J\n"])
async def test_a_file_that_is_no_key(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(CannotSign) as cannot:
        await sign(path, "text", NAMESPACE)
    assert "ssh-keygen refuses it" in cannot.value.what
    assert clean_line(cannot.value.what) == cannot.value.what


def test_at_the_drivers_keyboard_with_a_passphrase(tmp_path: Path, guarded: Path) -> None:
    """ssh-keygen asks at the terminal itself; no byte of the passphrase is shown or kept."""
    place = lay_out(tmp_path)
    with place.terminal("run", "--plain") as terminal:
        terminal.until("Who drives this run?")
        terminal.until_prompt()
        terminal.type("anna\n")
        terminal.until("A.write is next")
        terminal.until_prompt()
        terminal.type("\n")
        terminal.until("who signs here")
        terminal.until_prompt()
        terminal.type("ben\n")
        terminal.until_prompt()
        terminal.type(f"{guarded}\n")
        terminal.until("Enter passphrase")
        terminal.type("wrong\n")
        terminal.until("was not accepted")
        terminal.until("who signs here")
        terminal.until_prompt()
        terminal.type("ben\n")
        terminal.until_prompt()
        terminal.type(f"{guarded}\n")
        terminal.until("Enter passphrase")
        assert not terminal.echoes()
        terminal.type(f"{PASSPHRASE}\n")
        terminal.until("APPROVED by ben at the driver's keyboard")
        assert terminal.end() == 0
        assert terminal.echoes()
        assert PASSPHRASE not in terminal.shown
    journal = journal_of(place)
    (given,) = [event for event in read_events(journal) if isinstance(event, ApprovalGiven)]
    assert (given.witness, given.at_keyboard) == ("ben", True)
    assert PASSPHRASE not in journal.read_text()


def test_the_witness_signs_with_an_agent_and_says_no_first(tmp_path: Path, keys: Keys, agent: dict[str, str]) -> None:
    load(keys, "ben", agent)
    place = Bench(tmp_path, env=agent)
    lay_out(tmp_path)
    with asking(place) as run, witness(place) as ben:
        ben.until("or no and the reason.")
        ben.type("no\n")
        ben.until("help: these lines")  # a no needs a reason
        ben.type("approve keys/anna\n")
        ben.until("the answer of ben")
        ben.until("was not accepted: the key")
        ben.type("approve\n")
        ben.until("The run has ended: green")
        assert ben.end() == 0
        assert run.wait(20) == 0
    with asking(place) as run, witness(place) as ben:
        ben.until("or no and the reason.")
        ben.type("no the door is open\n")
        ben.until("SAID NO: the door is open")
        ben.until("The run has ended: failed")
        assert ben.end() == 1
        assert run.wait(20) == 1


def witness(place: Bench) -> Terminal:
    return place.terminal("witness", "--plain", "--as", "ben", "--key", "keys/ben.pub")


LOOKS = "import os, signal; print('in front', os.tcgetpgrp(0) == os.getpgrp(), signal.getsignal(signal.SIGTTOU).name)"
LENDS = f"""
import asyncio
from runbook.terminal.foreground import run_in_foreground
from runbook.operator import TerminalRequest
print("ended", asyncio.run(run_in_foreground(TerminalRequest(({sys.executable!r}, "-c", {LOOKS!r}), "/"), 0)))
"""


def test_who_asks_at_the_terminal_is_in_front_from_the_start(tmp_path: Path) -> None:
    """ssh-keygen that is stopped at its first look asks again and drops what was typed."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal([sys.executable, "-c", LENDS], tmp_path, env) as terminal:
        terminal.until("in front True SIG_DFL")
        terminal.until("ended 0")
        assert terminal.end() == 0
