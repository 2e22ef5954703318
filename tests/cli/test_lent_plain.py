"""Whatever a command does to a terminal that was lent in line mode, the next question works there."""

from __future__ import annotations

import fcntl
import os
import re
import sys
import termios
from pathlib import Path

import pytest

from tests.cli.bench import Bench, Terminal

PROGRAM = """
import asyncio, sys
from runbook.plain.console import ConsoleOperator
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator
from runbook.operator import *
async def main():
    narrator = Narrator()
    operator = ConsoleOperator(Keyboard(), narrator)
    narrator.say("before")
    status = await operator.terminal(TerminalRequest(("bash", "tool.sh"), ""))
    answer = await operator.confirm(ConfirmRequest(f"after {status}, go on?"))
    narrator.say(f"got {answer}")
    narrator.close()
asyncio.run(main())
"""

TOOLS = {
    "raw": "stty raw -echo",
    "half a line": "printf 'half a line'",
    "nonblocking": "python3 -c 'import os; os.set_blocking(0, False)'",
    "stopped output": "python3 -c 'import termios; termios.tcflow(1, termios.TCOOFF)'",
    "drawing": r"printf '\033[?1049h\033[?1000h\033[?2004h\033[?25l\033[5;9r\033(0\016'",
    "stops itself": "kill -STOP $$",
    "reads in the background": "(trap '' HUP TTIN; while :; do read -r -t 1 < /dev/tty; done) &",
    "another group in front": "python3 -c 'import os, signal\n"
    "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
    "os.setpgid(0, 0)\n"
    "os.tcsetpgrp(0, os.getpid())'",
}


@pytest.mark.parametrize("term", ["dumb", "xterm"])
@pytest.mark.parametrize("does", TOOLS)
def test_the_next_question_works(bench: Bench, does: str, term: str) -> None:
    (bench.folder / "tool.sh").write_text(f"echo yours\n{TOOLS[does]}\nexit 7\n")
    with Terminal([sys.executable, "-c", PROGRAM], bench.folder, {**bench.env, "TERM": term}) as terminal:
        terminal.until("yours")
        # On a line of its own, whatever came last.
        terminal.until("\nbash has ended with 7.")
        terminal.until("after 7, go on? [y/N]: ")
        terminal.type("y\n")
        terminal.until("got True")
        assert terminal.end() == 0
        assert termios.tcgetattr(terminal.theirs) == terminal.before
        assert not fcntl.fcntl(terminal.theirs, fcntl.F_GETFL) & os.O_NONBLOCK
        ours = terminal.shown.partition("before")[2].partition("has ended")[0]
    if does == "drawing" and term == "xterm":
        after = ours[ours.rindex("\x0e") :]
        for taken_back in ("\x1b[?1049l", "\x1b[?1000l", "\x1b[?2004l", "\x1b[?25h", "\x1b[r", "\x1b(B", "\x0f"):
            assert taken_back in after
    if does != "drawing" and term == "dumb":
        assert "\x1b" not in ours


def test_a_command_that_is_not_there_is_told(bench: Bench) -> None:
    program = PROGRAM.replace('("bash", "tool.sh")', '("./no-such-tool",)').replace(
        "asyncio.run(main())", "try: asyncio.run(main())\nexcept Exception as error: print('told:', error)"
    )
    with Terminal([sys.executable, "-c", program], bench.folder, bench.env) as terminal:
        terminal.until("told: ./no-such-tool cannot be started: No such file or directory")
        terminal.end()
        assert termios.tcgetattr(terminal.theirs) == terminal.before


def test_the_mark_and_what_is_withheld(bench: Bench) -> None:
    """The command's environment is ours, less what is withheld, and with the mark by which its leftovers are found."""
    told: Path = bench.folder / "told"
    program = PROGRAM.replace('("bash", "tool.sh"), ""', '("bash", "tool.sh"), "", withheld=frozenset({"VAULT"})')
    (bench.folder / "tool.sh").write_text(f"env > {told}; exit 7\n")
    with Terminal([sys.executable, "-c", program], bench.folder, {**bench.env, "VAULT": "s3cret"}) as terminal:
        terminal.until("after 7, go on? [y/N]: ")
        terminal.type("\n")
        terminal.end()
    assert "s3cret" not in told.read_text()
    assert re.search(r"^HSM_RUNBOOK_TERMINAL=[0-9a-f]{16}$", told.read_text(), re.MULTILINE)
