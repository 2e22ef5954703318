"""`runbook witness` on a real terminal: the whole way from the question to a run that goes on."""

from __future__ import annotations

import signal
import termios
from pathlib import Path

import pytest

from runbook.record.gate_events import ApprovalGiven
from runbook.record.journal import read_events
from tests.cli.bench import Bench, Terminal
from tests.people.keys import PRINCIPALS, Keys
from tests.people.test_witness_command import RUNBOOK, SITE, asking, journal_of


@pytest.fixture
def place(tmp_path: Path, keys: Keys) -> Bench:
    bench = Bench(tmp_path)
    (tmp_path / "runbook.yaml").write_text(RUNBOOK)
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "answers.yaml").write_text("answers: 1\ndriver: anna\n")
    return bench


def witness(place: Bench, key: str) -> Terminal:
    return place.terminal("witness", "--as", "ben", "--key", f"keys/{key}")


def approve(screen: Terminal) -> None:
    """Choose to approve, and take the key that is proposed."""
    screen.until("Your approval is asked")
    screen.until("Later")
    screen.type("\t\t\r")
    screen.until("Path of your key")
    screen.type("\r")


def test_an_approval_on_screens_lets_the_run_go_on(place: Bench) -> None:
    with asking(place) as run:
        with witness(place, "ben") as screen:
            approve(screen)
            screen.until("The run is over, green")
            screen.type("q")
            assert screen.end() == 0
        assert run.wait(20) == 0
    (given,) = [event for event in read_events(journal_of(place)) if isinstance(event, ApprovalGiven)]
    assert (given.witness, given.at_keyboard) == ("ben", False)


def test_a_passphrase_is_asked_by_ssh_keygen_with_the_whole_terminal(place: Bench, keys: Keys) -> None:
    keys.make("guarded", passphrase="open sesame")
    keys.allow(PRINCIPALS["ben"], "guarded")
    with asking(place) as run:
        with witness(place, "guarded") as screen:
            approve(screen)
            screen.until("Enter passphrase")
            screen.type("open sesame\n")
            screen.until("The run is over, green")
            assert "sesame" not in screen.shown
            screen.type("q")
            assert screen.end() == 0
        assert run.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_gives_the_terminal_back(place: Bench, number: signal.Signals) -> None:
    with asking(place) as run, witness(place, "ben") as screen:
        screen.until("Your approval is asked")
        screen.send(number)
        assert screen.end() != 0
        assert termios.tcgetattr(screen.theirs) == screen.before
        assert run.poll() is None, "what is asked stays open"
