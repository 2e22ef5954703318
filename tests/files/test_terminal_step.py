"""A command that is given the terminal, run on a real pseudo-terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from checks.files.programs import ProgramNotFound
from checks.files.terminal import Terminal as TerminalStep
from runbook.operator import TerminalRequest
from runbook.ran import Ran, heard_by
from tests.cli.bench import Terminal
from tests.stand_in import StandIn

ASKS = "import getpass, sys; sys.exit(0 if getpass.getpass('vault: ') == 'sesame' else 7)"
KILLS = "import os; input('vault: '); os.kill(os.getpid(), 9)"

STEP = """
import asyncio, sys
from pathlib import Path
from checks.files.terminal import Terminal
from runbook.terminal.foreground import run_in_foreground
from tests.stand_in import StandIn

class AtTerminal:
    async def terminal(self, request):
        return await run_in_foreground(request, 0)

async def main():
    context = StandIn(Path("."), AtTerminal())
    outcome = await context.run(Terminal, run=[sys.executable, "-c", sys.argv[1]], exit_code=int(sys.argv[2]))
    assert outcome.symptom in {"", *Terminal.symptoms}
    print("OUTCOME", outcome.verdict.value, outcome.symptom or "-")
    print("EVIDENCE", list(outcome.evidence[0].plain()))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("command", "typed", "expected", "told"),
    [
        (ASKS, "sesame", 0, "OUTCOME passed -"),
        (ASKS, "mellon", 0, "OUTCOME failed exit code"),
        (ASKS, "mellon", 7, "OUTCOME passed -"),
        (KILLS, "anything", 0, "OUTCOME failed killed"),
    ],
)
def test_it_asks_by_itself_and_its_exit_code_decides(
    tmp_path: Path, command: str, typed: str, expected: int, told: str
) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal([sys.executable, "-c", STEP, command, str(expected)], tmp_path, env) as terminal:
        terminal.until("vault: ")
        terminal.type(f"{typed}\n")
        terminal.until(told)
        terminal.until("EVIDENCE")
        assert terminal.end() == 0
    if typed == "mellon":
        assert terminal.shown.count(typed) == 0


async def test_one_that_is_not_there_is_told_before_the_terminal_is_given_away(tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFound):
        await StandIn(tmp_path).run(TerminalStep, run=["no-such-program"])


async def test_how_it_ended_is_told_for_the_record(tmp_path: Path) -> None:
    heard: list[Ran] = []

    class AtTerminal:
        async def terminal(self, request: TerminalRequest) -> int:
            return 128 + 9

    with heard_by(heard.append):
        await StandIn(tmp_path, AtTerminal()).run(TerminalStep, run=["true"], env={"A": "b"})
    assert [(ran.argv, ran.exit_code, ran.ended_by, ran.env) for ran in heard] == [
        (("true",), None, "signal 9", {"A": "b"})
    ]
