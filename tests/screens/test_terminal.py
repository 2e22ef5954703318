"""The real program in a real terminal (tmux)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.errors import EnvironmentLacks
from screens.main import run_session
from tests.screens.samples import sample_session
from tests.screens.tmux import Terminal

SENTINEL = "739184206"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "kill-server"], check=False, capture_output=True)
    terminal.wait("its end", (tmp_path / "ended").exists)


def test_a_run_in_a_terminal_with_textual_told_to_log_every_key(terminal: Terminal) -> None:
    terminal.start("pin", TEXTUAL_DEBUG="1", TEXTUAL_LOG="textual.log", TEXTUAL="devtools,debug")
    terminal.wait("your turn")
    assert "REHEARSAL" in terminal.screen
    terminal.keys("r")
    terminal.wait("User PIN")
    terminal.keys(SENTINEL)
    terminal.wait("••••••••")
    terminal.keys("Enter")
    terminal.wait("next is P.tree")
    terminal.keys("c")
    terminal.wait("The run is over, green")
    terminal.keys("q")
    terminal.wait("exit 0")
    left = {path.name: path.read_bytes() for path in terminal.folder.iterdir() if path.is_file()}
    assert set(left) == {"bytes", "ended"}, "no key log, no picture"
    assert b"next is" in left["bytes"]
    assert SENTINEL.encode() not in b"".join(left.values())


def test_an_interactive_command_gets_the_terminal_and_gives_it_back(terminal: Terminal) -> None:
    terminal.start("terminal")
    terminal.wait("your turn")
    terminal.keys("r")
    terminal.wait("yours now, answer:")
    assert "REHEARSAL" not in terminal.screen
    terminal.keys("forty-two", "Enter")
    terminal.wait("it ended with 7")
    assert (terminal.folder / "answered").read_text() == "forty-two\n"
    assert "REHEARSAL" in terminal.screen


def test_an_interrupt_is_for_the_command_that_has_the_terminal(terminal: Terminal) -> None:
    terminal.start("terminal")
    terminal.wait("your turn")
    terminal.keys("r")
    terminal.wait("yours now, answer:")
    terminal.keys("C-c")
    terminal.wait("it ended with 130")


def ended(pid: int) -> bool:
    """Gone, or dead and not yet collected by the machine's first process, which is not ours to hurry."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


def test_an_interactive_command_dies_with_the_program_whatever_it_ignores(terminal: Terminal) -> None:
    terminal.start("stubborn; touch ended")
    terminal.wait("your turn")
    terminal.keys("r")
    pids = terminal.folder / "pids"
    terminal.wait("the command", lambda: pids.exists() and len(pids.read_text().split()) == 2)
    command, program = (int(pid) for pid in pids.read_text().split())
    try:
        os.kill(program, signal.SIGKILL)
        terminal.wait("its end", lambda: ended(command))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)


def test_a_crash_gives_the_terminal_back_and_tells_no_value(terminal: Terminal) -> None:
    terminal.start("crash")
    terminal.wait("your turn")
    terminal.keys("r")
    terminal.wait("User PIN")
    terminal.keys(SENTINEL, "Enter")
    terminal.wait("exit 1")
    assert "The program has a defect: RuntimeError" in terminal.screen
    assert "no such" not in terminal.screen
    assert SENTINEL.encode() not in terminal.bytes.read_bytes()


def test_a_terminal_that_goes_away_stops_the_run(terminal: Terminal) -> None:
    terminal.start("pin")
    terminal.wait("your turn")
    terminal.keys("r")
    terminal.wait("User PIN")
    terminal.tmux("kill-server")
    ended = terminal.folder / "ended"
    terminal.wait("the end", lambda: ended.exists() and "stopped" in ended.read_text())
    assert "the terminal went away" in ended.read_text()


def test_a_step_that_blocks_everything_can_be_ended_and_the_terminal_comes_back(terminal: Terminal) -> None:
    terminal.start("block; stty -a > modes; touch ended")
    terminal.wait("your turn")
    terminal.keys("r")
    blocked = terminal.folder / "blocked"
    terminal.wait("the step", lambda: blocked.exists() and bool(blocked.read_text()))
    os.kill(int(blocked.read_text()), signal.SIGTERM)
    terminal.wait("error: ended by SIGTERM, as step P.people held up the whole program")
    assert "REHEARSAL" not in terminal.screen, "the screen from before is back"
    terminal.wait("its end", (terminal.folder / "ended").exists)
    modes = (terminal.folder / "modes").read_text().split()
    assert {"icanon", "echo", "isig", "icrnl"} <= set(modes)


def test_without_a_terminal_it_says_what_to_use_instead() -> None:
    session, walks = sample_session()
    with pytest.raises(EnvironmentLacks) as raised:
        run_session(session)
    assert "--plain" in str(raised.value)
    assert walks == [], "nothing was started"
