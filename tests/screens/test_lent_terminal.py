"""Whatever a command does to the terminal it was given, the screens come back whole and a prompt works (tmux)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import termios
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.screens.test_terminal import ended
from tests.screens.tmux import Terminal

MODES = (
    "alternate_on,cursor_flag,insert_flag,origin_flag,wrap_flag,keypad_flag,keypad_cursor_flag,mouse_all_flag,"
    "mouse_any_flag,mouse_sgr_flag,mouse_utf8_flag,scroll_region_upper,scroll_region_lower,pane_width,pane_height"
)
"""What tmux knows of a pane's state; formats of tmux(1)."""

TOOLS = {
    "raw": "stty raw -echo",
    "no echo": "stty -echo -icanon",
    "alternate screen": r"printf '\033[?1049h\033[2Jjunk'",
    "alternate screen of old": r"printf '\033[?47hjunk'",
    "mouse": r"printf '\033[?1000h\033[?1002h\033[?1003h\033[?1005h'",
    "paste": r"printf '\033[?2004h'",
    "no cursor": r"printf '\033[?25l'",
    "scroll region": r"printf '\033[5;9r\033[7;1H'",
    "origin and insert": r"printf '\033[3;20r\033[?6h\033[4h'",
    "no wrap, inverse": r"printf '\033[?7l\033[?5h'",
    "line drawing": r"printf '\033(0\033)0\016 qqqq'",
    "keypad": r"printf '\033[?1h\033='",
    "colours": r"printf '\033[7;31;44m'",
    "no line's end": "printf 'half a line'",
    "many lines": "seq 300",
    "nonblocking": "python3 -c 'import os; os.set_blocking(0, False)'",
    "stopped output": "python3 -c 'import termios; termios.tcflow(1, termios.TCOOFF)'",
    "another group in front": "python3 -c 'import os, signal, time\n"
    "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
    "child = os.fork()\n"
    "if not child: os.setpgid(0, 0); time.sleep(0.2); os._exit(0)\n"
    "try: os.setpgid(child, child)\n"
    "except OSError: pass\n"
    "os.tcsetpgrp(0, child)'",
    "stops itself": "kill -TSTP $$; kill -STOP $$",
    "stopped for the terminal": "trap '' TTOU; python3 -c 'import os; os.tcsetpgrp(0, os.getppid() * 0 + os.getpgid("
    'int(open("/proc/%d/stat" % os.getppid()).read().rpartition(")")[2].split()[1])))\'; trap - TTOU; stty echo',
}
"""By what they do to the terminal."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "kill-server"], check=False, capture_output=True)
    terminal.wait("its end", (tmp_path / "ended").exists)


def modes(terminal: Terminal) -> tuple[str, list[object]]:
    """As tmux knows them, and as the kernel does."""
    known = terminal.tmux("display-message", "-p", ",".join(f"{name}=#{{{name}}}" for name in MODES.split(",")))
    handle = os.open(terminal.tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDONLY | os.O_NOCTTY)
    try:
        return known, termios.tcgetattr(handle)
    finally:
        os.close(handle)


def picture(terminal: Terminal) -> str:
    """What is shown, with its colours; times of the day left out."""
    return re.sub(r"\d\d:\d\d(:\d\d)?", "", terminal.tmux("capture-pane", "-p", "-e"))


def begun(terminal: Terminal, script: str, play: str = "tool") -> tuple[str, list[object]]:
    """The run, up to where the command can be started; the modes at that point."""
    (terminal.folder / "tool.sh").write_text(f"echo yours\n{script}\necho done > done\nexit 7\n")
    terminal.start(play, TEXTUAL_COLOR_SYSTEM="256", COLUMNS="", LINES="")
    terminal.wait("your turn")
    return modes(terminal)


def lend(terminal: Terminal, script: str, play: str = "tool") -> None:
    """The command has the terminal."""
    begun(terminal, script, play)
    terminal.keys("r")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The picture after a command that leaves everything as it was."""
    terminal = Terminal(tmp_path_factory.mktemp("expected"))
    try:
        lend(terminal, "true")
        terminal.wait("it ended with 7")
        seen: Counter[str] = Counter()
        # The cursor blinks, and the first pictures are not complete.
        terminal.wait("a picture that comes again", lambda: seen.update([picture(terminal)]) or max(seen.values()) > 4)
        return seen.most_common(1)[0][0]
    finally:
        terminal.close()


@pytest.mark.parametrize("does", TOOLS)
def test_it_comes_back_whole(terminal: Terminal, does: str, expected: str) -> None:
    before = begun(terminal, TOOLS[does])
    terminal.keys("r")
    terminal.wait("it ended with 7")
    assert (terminal.folder / "done").exists()
    terminal.wait("the picture", lambda: picture(terminal) == expected)
    assert modes(terminal)[1] == before[1]
    terminal.keys("fine", "Enter")
    terminal.wait("after 7 it was told fine")
    terminal.wait("the modes", lambda: modes(terminal)[0] == before[0])


def test_ctrl_z_does_not_strand_it(terminal: Terminal) -> None:
    lend(terminal, "read -r line; echo $line > typed")
    terminal.wait("yours")
    terminal.keys("C-z")
    terminal.keys("on it goes", "Enter")
    terminal.wait("it ended with 7")
    assert (terminal.folder / "typed").read_text() == "on it goes\n"


def test_what_it_leaves_in_the_background_ends_with_it(terminal: Terminal) -> None:
    """One that reads the terminal would take every other key away from the prompts."""
    lend(terminal, "(trap '' HUP TTIN; while :; do read -t 1 -r line < /dev/tty; done) &\nsleep 600 &\njobs -p > pids")
    terminal.wait("it ended with 7")
    for pid in (terminal.folder / "pids").read_text().split():
        assert ended(int(pid))
    terminal.keys("every letter of it", "Enter")
    terminal.wait("it was told every letter of it")


def test_what_was_typed_into_it_and_not_read_decides_nothing(terminal: Terminal) -> None:
    lend(terminal, "until [ -e enough ]; do sleep 0.05; done")
    terminal.wait("yours")
    terminal.keys("nonsense", "Enter", "q", "s")
    (terminal.folder / "enough").touch()
    terminal.wait("it ended with 7")
    terminal.keys("mine", "Enter")
    terminal.wait("after 7 it was told mine")


def test_a_terminal_that_is_resized_meanwhile(terminal: Terminal) -> None:
    lend(terminal, "until [ -e enough ]; do sleep 0.05; done")
    terminal.wait("yours")
    terminal.resize(120, 40)
    (terminal.folder / "enough").touch()
    terminal.wait("it ended with 7")
    terminal.keys("fine", "Enter")
    terminal.wait("after 7 it was told fine")
    terminal.wait("the keys in the last line", lambda: "skip" in "".join(terminal.screen.splitlines()[39:]))


def test_what_happens_meanwhile_holds_up_nothing(terminal: Terminal) -> None:
    """It is painted for nobody; thirty paintings once filled a queue for ever."""
    lend(terminal, "until [ -e enough ]; do sleep 0.05; done", "busy")
    terminal.wait("it ended with 7")
    terminal.keys("fine", "Enter")
    terminal.wait("after 7 it was told fine")


def test_one_that_cannot_be_started_gives_the_screens_back(terminal: Terminal) -> None:
    terminal.start("missing")
    terminal.wait("your turn")
    terminal.keys("r")
    terminal.wait("no-such-tool cannot be started")
    assert "REHEARSAL" in terminal.screen


def test_the_program_is_told_to_end_meanwhile(terminal: Terminal) -> None:
    lend(terminal, "trap '' TERM HUP; echo $$ $PPID > pids; while :; do sleep 1; done")
    pids = terminal.folder / "pids"
    terminal.wait("the command", lambda: pids.exists() and len(pids.read_text().split()) == 2)
    command, program = (int(pid) for pid in pids.read_text().split())
    os.kill(program, signal.SIGTERM)
    terminal.wait("its end", lambda: ended(command) and (terminal.folder / "ended").exists())
    assert "told to end" in (terminal.folder / "ended").read_text()
    terminal.wait("exit 3")
    known, kernel = modes(terminal)
    assert "alternate_on=0" in known
    assert "cursor_flag=1" in known
    assert int(str(kernel[3])) & termios.ECHO
