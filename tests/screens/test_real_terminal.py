"""The real program in a real terminal whose size changes, which is left and come back to, and which goes away."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.event import Event
from runbook.outcome import Verdict
from runbook.record.events import RunFinished, RunResumed, StepFinished, StepStarted
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.cli.bench import Bench
from tests.screens.test_terminal import ended
from tests.screens.tmux import ROOT, Terminal
from tests.softhsm import LABEL, MODULE, PIN, SoftHsm

RUNBOOK = """\
runbook: 1
id: small
title: A small walk
inputs:
  word: {type: string, ask: 'Which word?', source: paper, pattern: '[a-z]+'}
stages:
  - id: A
    title: All of it
    steps:
      - id: A.people
        title: People
        attest: [Somebody is here, The door is closed]
      - id: A.word
        title: The word
        check: command
        run: [echo, 'the word is {{ word }}']
        expect: {stdout: [the word is hello]}
      - id: A.keys
        title: The keys
        check: objects
        token: intermediate
        login: true
        expect: [{id: 01}]
        surplus: allow
      - id: A.work
        title: The work
        action: command
        run: [sh, -c, 'echo $$ >> begun; until [ -e go ]; do sleep 0.05; done']
        gate: {confirm: 'Begin the work?'}
        deadline: 600
"""

SITE = """\
site: 1
name: here
tokens:
  intermediate: {{module: {module}, label: {label}, serial: '{serial}', env: {{SOFTHSM2_CONF: '{conf}'}}}}
"""

SIZES = [(120, 40), (200, 60), (60, 15), (80, 24)]


class Site:
    """A folder with a runbook and a token, and the terminals that the program is run in."""

    def __init__(self, folder: Path, hsm: SoftHsm) -> None:
        self.bench = Bench(folder)
        self.folder = folder
        (folder / "runbook.yaml").write_text(RUNBOOK)
        values = {"module": MODULE, "label": LABEL, "serial": hsm.serials[LABEL], "conf": hsm.conf}
        (folder / "site.yaml").write_text(SITE.format(**values))
        self.terminals: list[Terminal] = []
        self.labs = folder / "labs"
        self.labs.mkdir()

    def terminal(self, *arguments: str, size: tuple[int, int] = (80, 24), **environment: str) -> Terminal:
        """The program in a terminal of its own."""
        folder = self.folder / f"terminal-{len(self.terminals)}"
        folder.mkdir()
        terminal = Terminal(folder, size)
        self.terminals.append(terminal)
        program = shlex.join([sys.executable, "-m", "runbook", *arguments])
        started = shlex.quote(f"echo $$ > {folder}/pid; cd {self.folder}; exec {program}")
        kept = {name: value for name, value in self.bench.env.items() if name != "TERM"} | environment
        terminal.run(f"sh -c {started}; echo exit $?", **kept, TMPDIR=str(self.labs), PYTHONPATH=str(ROOT))
        return terminal

    @property
    def program(self) -> int:
        """The process of the program that was started last."""
        return int((self.terminals[-1].folder / "pid").read_text())

    def begun(self) -> list[int]:
        """The processes of the action, by how often it began."""
        pids = self.folder / "begun"
        return [int(pid) for pid in pids.read_text().split()] if pids.exists() else []

    @property
    def events(self) -> list[Event]:
        (journal,) = self.bench.journals
        return list(read_events(journal))

    def finished(self, step: str) -> list[Verdict]:
        return [
            event.outcome.verdict for event in self.events if isinstance(event, StepFinished) and event.step == step
        ]

    def ended(self) -> str:
        """How the run stands on record, once it is there."""
        last = self.events[-1]
        return last.state if isinstance(last, RunFinished) else ""


@pytest.fixture
def site(tmp_path: Path, softhsm: SoftHsm) -> Iterator[Site]:
    site = Site(tmp_path, softhsm)
    yield site
    for terminal in site.terminals:
        terminal.close()
    for pid in site.begun():
        terminal.wait("the end of the action", lambda pid=pid: ended(pid))


def to_the_word(terminal: Terminal) -> None:
    """On through the attestation: each statement on its own."""
    terminal.wait("your turn")
    terminal.keys("c")
    terminal.wait("2 without an answer")
    terminal.keys("Space")
    terminal.wait("1 without an answer")
    terminal.keys("Down", "Space")
    terminal.wait("every statement has its answer")
    terminal.keys("Enter")
    terminal.wait("Which word?")


def to_the_work(terminal: Terminal) -> None:
    """On from the word to the question before the action."""
    terminal.keys("hello", "Enter")
    terminal.wait("User PIN")
    terminal.keys(PIN, "Enter")
    terminal.wait("Begin the work?")


def answer_yes(terminal: Terminal) -> None:
    terminal.keys("Tab")
    terminal.keys("Enter")


def test_a_run_in_a_window_whose_size_changes_at_every_prompt(site: Site) -> None:
    terminal = site.terminal("run")
    to_the_word(terminal)
    terminal.keys("hel")
    terminal.wait("hel_")
    for size in SIZES:
        terminal.resize(*size)
        terminal.wait("too small" if size[0] < 80 else "hel_", lambda size=size: whole(terminal, size))
    terminal.keys("lo", "Enter")
    terminal.wait("User PIN")
    terminal.keys(PIN[:3])
    terminal.wait(MASK)
    for size in SIZES:
        terminal.resize(*size)
        terminal.wait("the mask", lambda size=size: whole(terminal, size))
    terminal.keys(PIN[3:], "Enter")
    terminal.wait("Begin the work?")
    assert site.finished("A.keys") == [Verdict.PASSED], "the PIN was whole, and was sent once"
    assert PIN.encode() not in terminal.bytes.read_bytes()
    for size in SIZES:
        terminal.resize(*size)
        terminal.wait("the question", lambda size=size: whole(terminal, size))
    answer_yes(terminal)
    terminal.wait("the action", lambda: bool(site.begun()))
    (site.folder / "go").touch()
    terminal.wait("The run is over, green")
    terminal.keys("q")
    terminal.wait("exit 0")
    assert site.ended() == "green"


MASK = "user PIN  ••••••••"


def whole(terminal: Terminal, size: tuple[int, int]) -> bool:
    """Whether what stands at the size is a whole picture of it: all that was typed, or that there is no room."""
    if terminal.size != size:
        return False
    shown = terminal.screen
    if size < (80, 24):
        return "too small" in shown and f"It is {size[0]} by {size[1]}" in shown
    if not any(text in shown for text in ("hel_", MASK, "Begin the work?")):
        return False
    # The frame stands in the middle of the new size, and is whole.
    top, bottom = ([line for line in shown.splitlines() if mark in line] for mark in "┏┗")
    return len(top) == len(bottom) == 1 and all(
        abs(line.index(left) + line.rindex(right) + 1 - size[0]) <= 1
        for line, left, right in ((top[0], "┏", "┓"), (bottom[0], "┗", "┛"))
    )


def test_a_size_in_the_environment_does_not_hold_the_screens_back(site: Site) -> None:
    terminal = site.terminal("run", COLUMNS="60", LINES="15")
    terminal.wait("? help")
    assert "too small" not in terminal.screen
    terminal.resize(120, 40)
    terminal.wait("the keys at the lower edge", lambda: "? help" in terminal.screen.splitlines()[39])


def test_a_person_leaves_at_a_prompt_and_another_comes_with_a_larger_terminal(site: Site) -> None:
    terminal = site.terminal("run")
    with terminal.attached(80, 24) as anna:
        to_the_word(terminal)
        anna.sees("Which word?")
        anna.type("he")
        anna.sees("he_")
    assert not ended(site.program), "the run goes on with nobody there"
    with terminal.attached(132, 43) as ben:
        ben.sees("he_")
        terminal.wait("the larger one", lambda: terminal.size == (132, 43))
        ben.type("llo\r")
        ben.sees("User PIN")
        ben.type(PIN)
        terminal.wait(MASK)
    with terminal.attached(80, 24) as anna:
        anna.sees("••••••••")
        anna.type("\r")
        anna.sees("Begin the work?")
    assert site.finished("A.word") == site.finished("A.keys") == [Verdict.PASSED]


def test_a_terminal_that_is_closed_at_a_prompt_stops_the_run_which_goes_on_in_another(site: Site) -> None:
    first = site.terminal("run")
    to_the_word(first)
    first.keys("hel")
    first.wait("hel_")
    first.close()
    first.wait("the end of the program", lambda: ended(site.program))
    assert site.ended() == "stopped"

    second = site.terminal("resume", size=(120, 40))
    second.wait("your turn")
    second.keys("c")
    second.wait("Which word?")
    assert "hel_" not in second.screen, "what was half typed was not kept"
    to_the_work(second)
    events = site.events
    assert [event.step for event in events if isinstance(event, StepStarted)].count("A.people") == 1
    assert sum(isinstance(event, RunResumed) for event in events) == 1
    assert verify(site.bench.journals[0]).intact


def test_a_terminal_that_is_closed_during_an_action_leaves_it_in_doubt(site: Site) -> None:
    first = site.terminal("run")
    to_the_word(first)
    to_the_work(first)
    answer_yes(first)
    first.wait("the action", lambda: bool(site.begun()))
    first.close()
    first.wait("the end of the program", lambda: ended(site.program))
    first.wait("the end of the action", lambda: all(ended(pid) for pid in site.begun()))
    assert site.finished("A.work") == [Verdict.IN_DOUBT]

    (site.folder / "go").touch()
    second = site.terminal("resume")
    second.wait("in doubt")
    assert len(site.begun()) == 1, "it is not begun again before somebody decides"
    assert verify(site.bench.journals[0]).intact


def test_a_rehearsal_whose_terminal_is_closed_goes_on_in_another(site: Site) -> None:
    first = site.terminal("rehearse", "--token", "softhsm", str(ROOT / "runbook.yaml"))
    first.wait("Press Enter to begin.")
    first.keys("Enter")
    first.wait("your turn")
    assert "REHEARSAL" in first.screen
    first.resize(120, 40)
    first.wait("all of the larger one", lambda: "? help" in first.screen.splitlines()[39])
    first.keys("r")
    first.wait("without an answer")
    first.close()
    first.wait("the end of the program", lambda: ended(site.program))
    assert site.ended() == "stopped"

    second = site.terminal("resume", size=(200, 60))
    second.wait("your turn")
    assert "REHEARSAL" in second.screen
    second.keys("r")
    second.wait("without an answer")
    assert sum(isinstance(event, RunResumed) for event in site.events) == 1
