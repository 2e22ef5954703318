"""Copy, editor and shell: the real program in a real terminal (tmux)."""

from __future__ import annotations

import base64
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.record.events import RunFinished
from runbook.record.journal import read_events
from runbook.record.shell_events import ShellEnded, ShellOpened
from runbook.record.verify import verify
from tests.cli.bench import Bench
from tests.screens.test_terminal import ended
from tests.screens.tmux import ROOT, Terminal

LINE = "- id: A.look"


class Desk:
    """The small runbook in a terminal, with a shell and an editor that tell what they were given."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.terminal = Terminal(folder / "terminal")
        self.terminal.folder.mkdir()

    def start(self, **environment: str) -> Terminal:
        program = shlex.join([sys.executable, "-m", "runbook", "run"])
        started = shlex.quote(f"echo $$ > {self.folder}/pid; cd {self.folder}; exec {program}")
        kept = {name: value for name, value in self.bench.env.items() if name != "TERM"}
        places = {"TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT), "SHELL": "/bin/bash"}
        self.terminal.run(
            f"stty -a > {self.folder}/before; sh -c {started}; echo exit $?; stty -a > {self.folder}/after",
            **{**kept, **places, "HISTFILE": "", "PS1": "shell> ", "COLUMNS": "", "LINES": "", **environment},
        )
        self.terminal.wait("your turn")
        return self.terminal

    @property
    def program(self) -> int:
        return int((self.folder / "pid").read_text())

    @property
    def shell(self) -> list[ShellOpened | ShellEnded]:
        events = read_events(self.bench.journals[0])
        return [event for event in events if isinstance(event, ShellOpened | ShellEnded)]

    def words(self, name: str) -> list[str]:
        """What is written in the file by now."""
        file = self.folder / name
        return file.read_text().split() if file.exists() else []

    def script(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)
        return file


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    (tmp_path / ".bashrc").write_text("PS1='shell> '\n")
    desk.bench.env["HOME"] = str(tmp_path)
    yield desk
    desk.terminal.close()
    desk.terminal.wait("the end of the program", lambda: ended(desk.program))


def in_shell(desk: Desk, **environment: str) -> Terminal:
    terminal = desk.start(**environment)
    terminal.keys("!")
    terminal.wait("shell>")
    return terminal


def test_a_shell_and_back(desk: Desk) -> None:
    terminal = in_shell(desk)
    assert "The run is paused at A.people" in terminal.screen
    assert "exit   (or ctrl-d) goes back" in terminal.screen
    terminal.keys('echo "$HSM_RUNBOOK_STEP in $PWD" > said; echo $HSM_RUNBOOK_RUN >> said; exit 3', "Enter")
    terminal.wait("your turn")
    assert (desk.folder / "said").read_text().splitlines() == [
        f"A.people in {desk.folder}",
        desk.bench.journals[0].parent.name,
    ]
    assert desk.shell == [ShellOpened("A.people", "/bin/bash", str(desk.folder)), ShellEnded("A.people", 3)]
    assert "said" not in desk.bench.journals[0].read_text(), "what was typed is nobody's business"
    terminal.keys("r")
    terminal.wait("2 without an answer")


def test_jobs_that_are_stopped_or_in_the_background_end_with_it(desk: Desk) -> None:
    terminal = in_shell(desk)
    terminal.keys("sleep 600 & nohup sleep 601 & (trap '' HUP; exec sleep 602) & vi x", "Enter")
    terminal.wait("vi", lambda: terminal.tmux("display-message", "-p", "#{alternate_on}").strip() == "1")
    terminal.keys("C-z")
    terminal.wait("Stopped")
    terminal.keys("jobs -p > jobs; exit", "Enter")
    terminal.wait("your turn")
    pids = [int(pid) for pid in (desk.folder / "jobs").read_text().split()]
    assert len(pids) == 4
    assert all(ended(pid) for pid in pids)
    assert desk.shell[-1] == ShellEnded("A.people", 0)


def test_a_shell_that_stops_itself_goes_on(desk: Desk) -> None:
    terminal = in_shell(desk)
    terminal.keys("suspend -f", "Enter")
    terminal.keys("touch went-on; exit", "Enter")
    terminal.wait("your turn")
    assert (desk.folder / "went-on").exists()


def test_a_shell_that_is_killed(desk: Desk) -> None:
    terminal = in_shell(desk)
    terminal.keys("stty raw -echo; kill -9 $$", "Enter")
    terminal.wait("your turn")
    assert desk.shell[-1] == ShellEnded("A.people", 128 + 9)
    terminal.keys("r")
    terminal.wait("2 without an answer")


def test_the_program_is_told_to_end_while_a_shell_is_open(desk: Desk) -> None:
    terminal = in_shell(desk)
    terminal.keys("sleep 600 & echo $$ $! > pids", "Enter")
    terminal.wait("the pids", lambda: len(desk.words("pids")) == 2)
    os.kill(desk.program, signal.SIGTERM)
    terminal.wait("exit 3")
    assert all(ended(int(pid)) for pid in desk.words("pids"))
    *_, last = read_events(desk.bench.journals[0])
    assert last == RunFinished("stopped", "the program was told to end")
    assert desk.shell[-1] == ShellEnded("A.people", None)
    assert verify(desk.bench.journals[0]).intact
    terminal.wait("the modes", (desk.folder / "after").exists)
    assert (desk.folder / "after").read_text() == (desk.folder / "before").read_text()


def test_the_terminal_goes_away_while_a_shell_is_open(desk: Desk) -> None:
    terminal = in_shell(desk)
    terminal.keys("(trap '' HUP; exec sleep 600) & echo $$ $! > pids", "Enter")
    terminal.wait("the pids", lambda: len(desk.words("pids")) == 2)
    terminal.close()
    terminal.wait("the end", lambda: ended(desk.program))
    assert all(ended(int(pid)) for pid in desk.words("pids"))
    *_, last = read_events(desk.bench.journals[0])
    assert isinstance(last, RunFinished)
    assert isinstance(desk.shell[-1], ShellEnded)
    assert verify(desk.bench.journals[0]).intact


def test_none_while_a_step_is_at_work(desk: Desk) -> None:
    runbook = desk.folder / "runbook.yaml"
    work = "until [ -e go ]; do sleep 0.05; done"
    runbook.write_text(
        runbook.read_text().replace(
            "attest: [Somebody is here, The door is closed]",
            f"""check: command
        run: [sh, -c, '{work}']""",
        )
    )
    terminal = desk.start()
    terminal.keys("r")
    terminal.wait("is at work")
    terminal.keys("!")
    terminal.wait("A.people is at work and goes on")
    (desk.folder / "go").touch()
    terminal.wait("next is A.look")
    assert desk.shell == []


def test_the_editor_is_at_the_step_and_can_change_nothing(desk: Desk) -> None:
    """Root may write into any file: what it writes into is a copy, and gone with its folder."""
    told = desk.folder / "told"
    editor = desk.script(
        "vim",
        f'file="${{@: -1}}"; cp "$file" {desk.folder}/seen; echo changed >> "$file"\n'
        f'printf "%s\\n" "$@" $(stat -c %a "$file") > {told}; echo reading; read -r line',
    )
    before = (desk.folder / "runbook.yaml").read_bytes()
    terminal = desk.start(EDITOR=f"{editor} -n")
    terminal.keys("j", "e")
    terminal.wait("reading")
    *words, file, mode = told.read_text().split()
    line = 1 + before.decode().splitlines().index(f"      {LINE}")
    assert words == ["-n", "-R", f"+{line}"]
    assert (Path(file).name, mode) == ("runbook.yaml", "400")
    assert (desk.folder / "seen").read_bytes() == before
    terminal.keys("Enter")
    terminal.wait("your turn")
    assert (desk.folder / "runbook.yaml").read_bytes() == before
    assert list(desk.temporary.iterdir()) == []
    events = {event.type for event in read_events(desk.bench.journals[0])}
    assert not any("edit" in kind or "shell" in kind for kind in events)


def test_an_editor_that_is_not_there_is_told(desk: Desk) -> None:
    terminal = desk.start(VISUAL="no-such-editor")
    terminal.keys("e")
    terminal.wait("the editor `no-such-editor` is not there")
    assert "your turn" in terminal.screen


def test_a_copy_goes_to_the_clipboard_of_the_terminal_that_is_attached(desk: Desk) -> None:
    """Inside tmux, with the settings that it has by itself."""
    terminal = desk.start()
    with terminal.attached(80, 24) as person:
        person.sees("your turn")
        terminal.keys("y")
        terminal.wait("the journal's head")
        head = re.search(r"head ((?:[0-9A-F]{4} ?){5})", terminal.screen)
        assert head is not None
        terminal.keys("Down", "Enter")
        set_it = b"\x1b]52;" + b"c;" + base64.b64encode(head.group(1).strip().encode())
        terminal.wait(
            "the clipboard",
            lambda: person._read() or set_it.replace(b"c;", b";", 1) in person._drawn or set_it in person._drawn,
        )
    terminal.wait("Copied: the journal's head")
    assert terminal.tmux("show-buffer").strip() == head.group(1).strip()
