"""The lab's card lives as long as the program, however that ends; its lab stays where a run in it can go on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal import stay
from rehearsal.card.client import CardControl
from rehearsal.card.errors import CardControlFailed
from rehearsal.smartcard import CardPlaces
from tests.rehearsal.program import Terminal, events, journals, processes_of, runbook

RUNBOOK = Path(__file__).parents[2] / "runbook.yaml"
_DEADLINE = 60.0


def wait_until(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + _DEADLINE
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.02)


def nothing_runs(home: Path) -> bool:
    return not processes_of(home)


def lab_of(home: Path) -> Path:
    (lab,) = (home / "tmp").iterdir()
    return lab


@pytest.mark.parametrize("front_end", [(), ("--plain",)], ids=["screens", "plain"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_card_goes_with_the_program(
    home: Path, terminal: Callable[..., Terminal], number: signal.Signals, front_end: tuple[str, ...]
) -> None:
    session = terminal("rehearse", "--token", "card", *front_end)
    session.wait_for(b"Press Enter to begin")
    session.type(b"\n")
    session.wait_for(b"P.people")
    wait_until(lambda: any(b'"type":"stage.started"' in journal.read_bytes() for journal in journals(home)))
    assert any("pcscd --foreground" in line for line in processes_of(home))
    assert any("rehearsal.card " in line for line in processes_of(home))

    session.process.send_signal(number)

    wait_until(lambda: not session.read() or nothing_runs(home))
    wait_until(lambda: nothing_runs(home))
    wait_until(lambda: not session.read())  # the last that it showed
    assert session.process.wait(_DEADLINE) == (-signal.SIGKILL if number is signal.SIGKILL else 3)
    lab = lab_of(home)
    assert stay.unfinished(lab) == [journals(home)[0].parent.name]
    assert CardPlaces(lab).state.is_file()
    if number is signal.SIGTERM:  # after SIGHUP a terminal shows nothing any more
        assert f"rm -r {lab}".encode() in session.shown
        assert f"runbook resume {journals(home)[0].parent.name}".encode() in session.shown


def test_killed_while_the_card_is_silent_nothing_is_left(home: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "runbook", "rehearse", "--headless", "--fault", "card-silent"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.closing(_Killed(program)):
        wait_until(lambda: bool(list((home / "tmp").iterdir())))
        control = CardControl(CardPlaces(lab_of(home)).control)
        wait_until(lambda: any("SIGN" in line for line in _log(control)))
        assert any("checks.hsm.worker" in line for line in processes_of(home))

        program.kill()

        wait_until(lambda: nothing_runs(home))
    assert lab_of(home).is_dir()
    (journal,) = journals(home)
    assert len(events(journal, "pin.attempt")) == 1


def test_a_kept_lab_says_how_to_have_its_card_again(home: Path) -> None:
    lab = home / "lab"
    kept = runbook("rehearse", "--headless", "--token", "card", "--stage", "P", "--folder", lab)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert f"runbook rehearse --serve {lab}" in kept.stderr
    again = ("run", RUNBOOK, "--site", lab / "site.yaml", "--headless", "--answers", lab / "paper-sheet.yaml")
    assert runbook(*again).returncode == 1, "without its reader the card is not there"

    server = subprocess.Popen(
        [sys.executable, "-m", "runbook", "rehearse", "--serve", str(lab)], stderr=subprocess.PIPE, text=True
    )
    with contextlib.closing(_Killed(server)):
        assert server.stderr is not None
        assert str(lab / "site.yaml") in server.stderr.readline()
        done = runbook(*again)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "(a rehearsal)" in done.stdout
        server.send_signal(signal.SIGINT)
        assert server.wait(_DEADLINE) == 0
    assert processes_of(home) == []
    assert not CardPlaces(lab).reader.exists()


def test_only_a_lab_with_a_card_is_served(home: Path) -> None:
    done = runbook("rehearse", "--serve", home)

    assert done.returncode == 2
    assert "no kept lab with a card" in done.stderr


def _log(control: CardControl) -> list[str]:
    try:
        return asyncio.run(control.status()).log
    except CardControlFailed:
        return []  # it is not there yet


class _Killed:
    """Ends a process that a failed test would leave."""

    def __init__(self, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
        self._process = process

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
