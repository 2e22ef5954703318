"""Looking around, editor, shell and running on by itself, on a pseudo-terminal without screens."""

from __future__ import annotations

import re
import signal
import sys
import termios
from pathlib import Path

import pytest

from runbook.record.events import NoteAdded, RunFinished
from runbook.record.journal import read_events
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.record.verify import verify
from tests.cli.bench import Bench, Terminal
from tests.endings.line import gone, until

ASKED = "Number (empty: 1): "

STUBBORN = "trap '' HUP TERM; sleep 600 & echo $$ $! > pids; mv pids told; while :; do sleep 0.1; done"

IMPATIENT = f"""
import asyncio, os
from runbook.operator import TerminalRequest
from runbook.terminal.foreground import run_in_foreground

async def main():
    running = asyncio.create_task(run_in_foreground(TerminalRequest(("sh", "-c", {STUBBORN!r}), os.getcwd()), 0))
    while not os.path.exists("told"):
        await asyncio.sleep(0.01)
    os.rename("told", "pids")
    while not running.done():
        running.cancel()
        await asyncio.sleep(0.01)
    print("over", running.cancelled())

asyncio.run(main())
"""


def begun(bench: Bench, **env: str) -> Terminal:
    bench.env |= {"SHELL": "/bin/bash", "HOME": str(bench.folder), **env}
    (bench.folder / ".bashrc").write_text("PS1='shell> '\n")
    return bench.terminal("run", "--plain")


def through_the_people(terminal: Terminal) -> None:
    terminal.answer(ASKED, "")
    terminal.answer("[y/N]: ", "y")
    terminal.answer("[y/N]: ", "y")
    terminal.until("A.people  PASSED")


def look(terminal: Terminal, line: str) -> str:
    """What is said to the line."""
    terminal.answer(ASKED, line)
    terminal.until(line)
    return terminal.until("What now, for ")


def test_everything_around_a_step_can_be_looked_at(bench: Bench) -> None:
    with begun(bench) as terminal:
        through_the_people(terminal)
        steps = look(terminal, "steps")
        assert "1. run this step" not in look(terminal, "find walrus"), "the choices are said once"
        assert "A  First: 1 of 2 green" in steps
        assert "A.people  passed, the step at hand: People" in steps
        page = look(terminal, "show B.wait")
        assert "sleep 0" in page
        assert "after: A must be green" in page
        assert "outcome:" in look(terminal, "show A.people")
        assert "A.look  title: Look" in look(terminal, "find look")
        assert "holds: Somebody is here (A.people since" in look(terminal, "facts")
        journal = look(terminal, "journal")
        assert "A.people  passed" in journal
        assert "holds: somebody" in journal
        assert "a person says that something is so" in look(terminal, "help attestation").lower()
        assert "command" in look(terminal, "help command")
        assert "There is no step `nowhere`" in look(terminal, "show nowhere")
        assert "Nothing holds `walrus`." in look(terminal, "find walrus")
        offered = look(terminal, "copy")
        assert "copy head: the journal's head" in offered
        assert re.search(r"\n[0-9A-F]{4}( [0-9A-F]{4}){4}\n", look(terminal, "copy head"))
        assert "echo 'the word is {{ word }}'" in look(terminal, "copy commands")
        more = look(terminal, "more")
        assert "find TEXT" in more
        assert "shell: " in more
        terminal.until("1. run this step")
        look(terminal, "note it is raining")
        terminal.answer(ASKED, "walrus")
        terminal.until("Type a number from 1 to 6, or a word: help lists them.")
        terminal.answer(ASKED, "stop")
        terminal.end()
    assert NoteAdded("A.people", "it is raining") in list(read_events(bench.journals[0]))


def test_what_a_step_said_can_be_read_again(bench: Bench) -> None:
    with begun(bench) as terminal:
        through_the_people(terminal)
        terminal.answer(ASKED, "")
        terminal.answer("From paper (empty: leave): ", "wrong")
        terminal.until("A.look  FAILED")
        terminal.answer("Number: ", "output")
        terminal.until("output\n")
        assert terminal.until("What now").startswith("the word is wrong\n")
        terminal.answer("Number: ", "copy outcome")
        terminal.until("\nA.look failed: ")
        terminal.answer("Number: ", "stop")
        terminal.end()


def test_it_runs_on_by_itself_until_somebody_must_decide(bench: Bench) -> None:
    with begun(bench) as terminal:
        terminal.answer(ASKED, "continue")
        terminal.answer("[y/N]: ", "y")
        terminal.answer("[y/N]: ", "y")
        terminal.answer("From paper (empty: leave): ", "hello")
        terminal.answer("Wait 0 seconds? [y/N]: ", "y")
        assert terminal.end() == 0
    assert terminal.shown.count("What now") == 1


def test_enter_pauses_it_before_the_next_step(bench: Bench) -> None:
    text = (bench.folder / "runbook.yaml").read_text()
    work = "check: command\n        run: [sh, -c, 'echo at work; until [ -e go ]; do sleep 0.05; done']"
    (bench.folder / "runbook.yaml").write_text(text.replace("attest: [Somebody is here, The door is closed]", work))
    with begun(bench) as terminal:
        terminal.answer(ASKED, "continue")
        terminal.until("at work")
        terminal.type("\n")
        (bench.folder / "go").touch()
        terminal.until("Paused.")
        terminal.until("A.look is next")
        terminal.answer(ASKED, "stop")
        terminal.end()


def test_a_shell_and_back(bench: Bench) -> None:
    with begun(bench) as terminal:
        terminal.until(ASKED)
        before = termios.tcgetattr(terminal.theirs)
        terminal.type("shell\n")
        terminal.until("The run is paused at A.people.")
        terminal.until("shell> ")
        terminal.type("sleep 600 & echo $HSM_RUNBOOK_STEP $! > said; stty raw -echo; exit 5\n")
        terminal.until("had left running")
        terminal.until("the shell has ended with 5")
        terminal.until(ASKED)
        assert termios.tcgetattr(terminal.theirs) == before
        step, pid = (bench.folder / "said").read_text().split()
        assert step == "A.people"
        assert gone(int(pid))
        terminal.type("stop\n")
        terminal.end()
    shell = [event for event in read_events(bench.journals[0]) if isinstance(event, ShellOpened | ShellEnded)]
    assert shell == [ShellOpened("A.people", "/bin/bash", str(bench.folder)), ShellEnded("A.people", 5)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_while_a_shell_is_open(bench: Bench, number: signal.Signals) -> None:
    with begun(bench) as terminal:
        terminal.answer(ASKED, "shell")
        terminal.until("shell> ")
        terminal.type("(trap '' HUP; exec sleep 600) & echo $$ $! > pids\n")
        terminal.until("shell> ")
        terminal.send(number)
        assert terminal.end() == 3
        assert terminal.echoes()
        assert still_running(bench) == []
    *_, last = events = list(read_events(bench.journals[0]))
    assert ShellEnded("A.people", None) in events
    assert isinstance(last, RunFinished)
    assert verify(bench.journals[0]).intact


def test_killed_while_a_shell_is_open_nothing_of_it_stays(bench: Bench) -> None:
    with begun(bench) as terminal:
        terminal.answer(ASKED, "shell")
        terminal.until("shell> ")
        terminal.type("(trap '' HUP; exec sleep 600) & echo $$ $! > pids\n")
        terminal.until("shell> ")
        terminal.send(signal.SIGKILL)
        assert terminal.end() == -signal.SIGKILL
        until(lambda: not still_running(bench), "its end")


def test_called_off_again_and_again_it_is_put_in_order_first(bench: Bench) -> None:
    """A second wish to stop, while the command still takes its time over the first."""
    with Terminal([sys.executable, "-c", IMPATIENT], bench.folder, bench.env) as terminal:
        terminal.until("over True")
        assert still_running(bench) == []
        assert terminal.end() == 0


def still_running(bench: Bench) -> list[int]:
    return [pid for pid in map(int, (bench.folder / "pids").read_text().split()) if not gone(pid)]


def test_the_editor_shows_a_copy_at_the_step(bench: Bench) -> None:
    editor = bench.folder / "nano"
    told = bench.folder / "told"
    editor.write_text(
        f'#!/bin/sh\nfor last; do :; done; printf "%s\\n" "$@" > {told}; cat "$last"; echo x >> "$last"\n'
    )
    editor.chmod(0o755)
    before = (bench.folder / "runbook.yaml").read_bytes()
    with begun(bench, VISUAL=str(editor)) as terminal:
        terminal.answer(ASKED, "edit A.look")
        terminal.until("title: A small walk")
        terminal.answer(ASKED, "stop")
        terminal.end()
    *flags, file = told.read_text().split()
    assert flags == ["-v", f"+{1 + before.decode().splitlines().index('      - id: A.look')}"]
    assert not Path(file).parent.exists()
    assert (bench.folder / "runbook.yaml").read_bytes() == before


def test_without_an_editor_a_pager_and_without_both_it_is_told(bench: Bench) -> None:
    (bench.folder / "bin").mkdir()
    with begun(bench, PATH=str(bench.folder / "bin")) as terminal:
        terminal.answer(ASKED, "edit")
        terminal.until("there is no program to show the runbook with")
        terminal.answer(ASKED, "stop")
        terminal.end()
    less = bench.folder / "bin" / "less"
    less.write_text("#!/bin/sh\necho paged $1\n")
    less.chmod(0o755)
    with bench.terminal("run", "--plain") as terminal:
        terminal.until("[q]uit: ")
        terminal.type("n\n")
        terminal.answer(ASKED, "edit B.wait")
        line = (bench.folder / "runbook.yaml").read_text().splitlines().index("      - id: B.wait") + 1
        terminal.until(f"paged +{line}")
        terminal.answer(ASKED, "stop")
        terminal.end()


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_whole_run_draws_nothing(bench: Bench, term: str) -> None:
    """No cursor movement, no colour, no line painted again, no box: for a screen reader and a serial console."""
    with begun(bench, TERM=term) as terminal:
        through_the_people(terminal)
        for line in ("more", "steps", "show", "facts", "journal all", "find the", "help", "copy", "copy record"):
            look(terminal, line)
        terminal.answer(ASKED, "continue")
        terminal.answer("From paper (empty: leave): ", "hello")
        terminal.answer("Wait 0 seconds? [y/N]: ", "y")
        assert terminal.end() == 0
        drawn = terminal.shown
    assert "\x1b" not in drawn
    assert "\r" not in drawn, "apart from the ends of lines"
    assert "\b" not in drawn
    assert not re.search(r"[\u2500-\u259f\u25a0-\u25ff]", drawn)
