"""The sample run in a real terminal: `python -m tests.screens.shown PLAY`; prints the exit code at the end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from runbook.errors import RunbookError
from runbook.operator import TerminalRequest, TextRequest
from runbook.outcome import Outcome
from runbook.record import events as ev
from screens.main import run_session
from tests.screens.samples import PIN, sample_session
from tests.screens.scripted import SAID, Play, ScriptedWalk, asks


async def _hand_over(walk: ScriptedWalk, step: str) -> Outcome:
    script = 'printf "yours now, answer: "; read answer; echo "$answer" > answered; exit 7'
    status = await walk.operator.terminal(TerminalRequest(("sh", "-c", script), ""))
    return Outcome.failed(f"it ended with {status}", SAID)


async def _tool(walk: ScriptedWalk, step: str) -> Outcome:
    """The script of the test; then a prompt."""
    status = await walk.operator.terminal(TerminalRequest(("bash", "tool.sh"), ""))
    phrase = await walk.operator.text(TextRequest("What now", help=f"it ended with {status}"))
    return Outcome.failed(f"after {status} it was told {phrase}", SAID)


async def _busy(walk: ScriptedWalk, step: str) -> Outcome:
    """Much is said while the command has the terminal, which waits until all of it was said."""

    async def say() -> None:
        for number in range(60):
            walk.say(ev.StepProgress(step, f"line {number}"))
            await asyncio.sleep(0.05)
        await asyncio.to_thread(Path("enough").touch)

    saying = asyncio.create_task(say())
    outcome = await _tool(walk, step)
    await saying
    return outcome


async def _missing(walk: ScriptedWalk, step: str) -> Outcome:
    try:
        await walk.operator.terminal(TerminalRequest(("./no-such-tool",), ""))
    except RunbookError as error:
        return Outcome.failed(error.what, SAID)
    raise AssertionError


async def _stubborn(walk: ScriptedWalk, step: str) -> Outcome:
    script = "trap '' HUP TERM; echo $$ $PPID > pids; while true; do read -r -t 1; done"
    status = await walk.operator.terminal(TerminalRequest(("bash", "-c", script), ""))
    return Outcome.failed(f"it ended with {status}", SAID)


async def _crash(walk: ScriptedWalk, step: str) -> Outcome:
    pin = (await walk.operator.pin(PIN)).reveal_text()
    raise RuntimeError(f"no such {pin!r}")


async def _block(walk: ScriptedWalk, step: str) -> Outcome:
    await asyncio.to_thread(Path("blocked").write_text, str(os.getpid()))
    time.sleep(600)  # noqa: ASYNC251 - that is the fault
    return Outcome.failed("it ended", SAID)


PLAYS: dict[str, dict[str, Play]] = {
    "pin": {"P_people": asks("pin", PIN)},
    "terminal": {"P_people": _hand_over},
    "tool": {"P_people": _tool},
    "busy": {"P_people": _busy},
    "missing": {"P_people": _missing},
    "stubborn": {"P_people": _stubborn},
    "crash": {"P_people": _crash},
    "block": {"P_people": _block},
}


def main(play: str) -> int:
    session, walks = sample_session(rehearsal=True, **PLAYS[play])
    try:
        code = run_session(session)
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    finished = [event for walk in walks for event in walk.seen if isinstance(event, ev.RunFinished)]
    Path("ended").write_text(f"exit {int(code)}; {finished}")
    sys.stdout.write(f"exit {int(code)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
