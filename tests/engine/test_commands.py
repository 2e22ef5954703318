"""Every command that runs for a step is on record before the step's end, wherever it was started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from checks.files.process import run
from runbook.errors import JournalError
from runbook.event import Event
from runbook.ran import CommandRan, Ran, heard_by, tell
from runbook.run.commands import Commands
from runbook.secrets import MASK, Redactor, Secret


def _recorder(events: list[Event]) -> Callable[[Event], Awaitable[None]]:
    async def record(event: Event) -> None:
        await asyncio.sleep(0)
        events.append(event)

    return record


async def test_a_tool_that_a_check_runs_by_itself_is_told() -> None:
    events: list[Event] = []
    commands = Commands("A1", _recorder(events), str)
    with heard_by(commands.hear):
        await run(["sh", "-c", "exit 3"], deadline=60)
        await asyncio.gather(*(run(["true"], deadline=60) for _ in range(3)))
    await commands.recorded()
    told = [event for event in events if isinstance(event, CommandRan)]
    assert [event.command for event in told] == ["sh -c 'exit 3'", "true", "true", "true"]
    assert (told[0].step, told[0].on, told[0].exit_code) == ("A1", "local", 3)


async def test_its_variables_its_folder_and_its_deadline() -> None:
    heard: list[Ran] = []
    with heard_by(heard.append):
        await run(["sleep", "60"], deadline=0.1, env={"PATH": "/usr/bin:/bin", "X": "a b"})
    event = heard[0].event("A1", str)
    assert (event.exit_code, event.ended_by, event.env["X"]) == (None, "deadline", "a b")


async def test_a_cancelled_one_is_told_too() -> None:
    heard: list[Ran] = []
    begun = asyncio.Event()
    command = ["sh", "-c", "echo begun; exec sleep 60"]
    with heard_by(heard.append):
        running = asyncio.create_task(run(command, deadline=60, on_line=lambda *_: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert [(ran.argv, ran.ended_by) for ran in heard] == [(command, "cancelled")]


async def test_nobody_listens_outside_of_a_step() -> None:
    tell(Ran(["true"]))
    assert (await run(["true"], deadline=60)).exit_code == 0


async def test_a_journal_that_is_closed_is_no_fault_of_a_late_command() -> None:
    async def closed(_: Event) -> None:
        raise JournalError("the journal is closed")

    commands = Commands("A1", closed, str)
    commands.hear(Ran(["true"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_foreign_characters_are_made_harmless_and_line_breaks_are_kept() -> None:
    event = Ran(["sh", "-c", "a\n\x1b[31mb"], cwd="/x\ny").event("A1", str)
    assert event.command == "sh -c 'a\n␛[31mb'"
    assert event.cwd == "/x␊y"


async def test_a_secret_is_removed_before_quotes_come_into_it() -> None:
    redactor = Redactor()
    redactor.learn(Secret.from_text("it's 4321"))
    event = Ran(["tool", "--pin=it's 4321"], cwd="/it's 4321", env={"PIN": "it's 4321"}).event("A1", redactor)
    assert event.command == f"tool '--pin={MASK}'"
    assert (event.cwd, event.env["PIN"]) == (f"/{MASK}", MASK)
