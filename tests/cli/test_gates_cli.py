"""The program at its gates: a real file that is removed for good, once, and only when everything holds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runbook.event import Event
from runbook.record import events as ev
from runbook.record.gate_events import WindowSet
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.cli.bench import Bench

RUNBOOK = """\
runbook: 1
id: wipe
title: The old database goes
inputs:
  database: {type: path, ask: 'Which database?', source: site}
facts:
  copied: A copy is in the safe
stages:
  - id: A
    title: Before
    steps:
      - id: A.copy
        title: There is a copy
        attest: A copy is in the safe
        establishes: [copied]
  - id: G
    title: Removal
    window: {ask: Downtime window}
    steps:
      - id: G.remove
        title: Remove the database
        action: command
        run: [rm, --, '{{ database }}']
        irreversible: true
        requires: [copied]
        gate: {after: [A], phrase: 'REMOVE {{ database }}', confirm: 'Remove {{ database }} for good?'}
        probe: {check: command, run: [test, '!', -e, '{{ database }}']}
        backout: [Put the copy from the safe back]
      - id: G.gone
        title: It is gone
        check: command
        run: [test, '!', -e, '{{ database }}']
        gate: {after: [G.remove]}
"""

ANSWERS = """\
answers: 1
attest: all
confirm: {G.remove: true}
phrases: [G.remove]
"""


def window(opens: int, closes: int) -> str:
    """From so many minutes from now to so many, as an answers file has it."""
    start, end = (datetime.now() + timedelta(minutes=minutes) for minutes in (opens, closes))
    return f"windows: {{G: '{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}'}}\n"


@pytest.fixture
def database(bench: Bench) -> Path:
    path = bench.folder / "old data.db"
    path.write_text("rows")
    (bench.folder / "runbook.yaml").write_text(RUNBOOK)
    (bench.folder / "site.yaml").write_text(f"site: 1\nname: here\ninputs:\n  database: '{path}'\n")
    return path


def run(bench: Bench, answers: str, *options: str) -> tuple[int, str, list[Event]]:
    """Exit status, all that was said, and the record."""
    (bench.folder / "answers.yaml").write_text(answers)
    before = set(bench.journals)
    done = bench("run", "--headless", "--answers", "answers.yaml", *options)
    new = [journal for journal in bench.journals if journal not in before]
    assert all(verify(journal).intact for journal in new)
    return done.returncode, done.stdout + done.stderr, list(read_events(new[0])) if new else []


def test_the_file_goes_when_everything_holds_and_the_record_says_why(bench: Bench, database: Path) -> None:
    code, said, events = run(bench, ANSWERS + window(-5, 60))
    assert code == 0, said
    assert not database.exists()
    (given,) = [event for event in events if isinstance(event, WindowSet)]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00[+-]\d\d:\d\d", given.opens)
    of_step = [event for event in events if getattr(event, "step", "") == "G.remove"]
    names = [event.type for event in of_step]
    asked = ["step.probed", "prompt.shown", "prompt.answered", "step.started"]
    assert names[names.index("step.probed") :][:4] == asked, (
        "the probe, the question, the answer, and only then the deed"
    )
    (probed,) = [event for event in of_step if isinstance(event, ev.StepProbed)]
    assert probed.answer == "not done"
    (started,) = [event for event in of_step if isinstance(event, ev.StepStarted)]
    assert started.params["run"] == ["rm", "--", str(database)]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (ANSWERS, "the answers have no `windows.G`"),
        (ANSWERS + "windows: {G: tonight}\n", "the answer `windows.G` cannot be used: This is no time window"),
        (ANSWERS + window(30, 60), "the window of stage G opens at "),
        (ANSWERS + window(-60, -30), "cannot be used: This window closed "),
        (ANSWERS.replace("[G.remove]", "[]") + window(-5, 60), "the answers have no `phrases: [G.remove]`"),
        (ANSWERS.replace("true", "false") + window(-5, 60), "the operator turned back at the point of no return"),
        (ANSWERS.replace("attest: all", "skip: {A.copy: no time}") + window(-5, 60), "`copied` is not established"),
        ("answers: 1\n", "the answers have no `attest: [A.copy]`"),
    ],
)
def test_what_does_not_hold_leaves_the_file_and_is_said(bench: Bench, database: Path, answers: str, said: str) -> None:
    code, output, events = run(bench, answers)
    assert code in (1, 3)
    assert said in output
    assert database.read_text() == "rows"
    assert not [event for event in events if isinstance(event, ev.StepStarted) and event.step == "G.remove"]


def test_picking_the_stage_alone_does_not_slip_past(bench: Bench, database: Path) -> None:
    code, output, events = run(bench, ANSWERS + window(-5, 60), "--stage", "G")
    assert code == 2
    assert "G.remove waits for" in output
    assert events == []
    assert database.exists()


def test_what_is_gone_already_is_not_removed_again(bench: Bench, database: Path) -> None:
    database.unlink()
    code, output, events = run(bench, ANSWERS + window(-5, 60))
    assert code in (1, 3)
    assert "G.remove may be done already" in output
    assert not [event for event in events if isinstance(event, ev.StepStarted) and event.step == "G.remove"]
    code, output, events = run(bench, ANSWERS + "done: {G.remove: the night shift did it}\n" + window(-5, 60))
    assert code == 0, output
    assert ev.StepSettled("G.remove", "done", "the night shift did it") in events
    assert not [event for event in events if isinstance(event, ev.StepStarted) and event.step == "G.remove"]
    assert "the night shift did it" in output


def test_waiting_for_the_window_when_the_answers_say_so(bench: Bench, database: Path) -> None:
    """The window opens at a full second that is near; the host's own clock decides."""
    opens = datetime.now() + timedelta(seconds=3)
    closes = opens + timedelta(hours=1)
    answers = ANSWERS + f"wait: true\nwindows: {{G: '{opens:%Y-%m-%d %H:%M:%S} to {closes:%Y-%m-%d %H:%M:%S}'}}\n"
    code, output, _ = run(bench, answers)
    assert code == 0, output
    assert "the window of stage G opens at " in output, "it was there before it opened"
    assert not database.exists()
    assert datetime.now() >= opens.replace(microsecond=0)


def test_a_dry_run_prints_windows_and_exact_commands(bench: Bench, database: Path) -> None:
    done = bench("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "only within a time window that is asked for when the stage begins: Downtime window" in done.stdout
    assert f"will do: rm -- '{database}'" in done.stdout
    assert f"after the phrase is typed: REMOVE {database}" in done.stdout
    assert database.exists()


def test_a_gate_of_two_people_needs_a_site_that_names_them(bench: Bench, database: Path) -> None:
    runbook = bench.folder / "runbook.yaml"
    text = RUNBOOK.replace("gate: {after: [A],", "gate: {after: [A], two_person: true,")
    runbook.write_text(text.replace("title: The old", "roles: [driver, witness]\ntitle: The old"))
    done = bench("validate", "--site", "site.yaml")
    line = next(n for n, line in enumerate(runbook.read_text().splitlines(), 1) if "two_person" in line)
    assert done.returncode == 2
    assert f"runbook.yaml:{line}:" in done.stderr
    assert "names nobody who may approve a step as its witness" in done.stderr
    code, output, events = run(bench, ANSWERS + window(-5, 60))
    assert (code, events) == (2, [])
    assert "Add `two_people` there" in output
    assert database.exists()


def test_at_a_plain_terminal_the_phrase_is_typed_and_the_window_changed(bench: Bench, database: Path) -> None:
    later = datetime.now() + timedelta(hours=2)
    early = f"{datetime.now() - timedelta(minutes=5):%Y-%m-%d %H:%M} to {later:%Y-%m-%d %H:%M}"
    with bench.terminal("run", "--plain") as terminal:
        terminal.answer("Number (empty: 1): ", "")
        terminal.answer("Is it so? [y/N]: ", "y")
        terminal.until("Downtime window (stage G)")
        terminal.answer("leave): ", f"{later:%Y-%m-%d %H:%M} to {later + timedelta(hours=1):%Y-%m-%d %H:%M}")
        terminal.until("G.remove cannot start:")
        terminal.until("It goes on by itself, from this question, when the window opens.")
        terminal.answer("Number: ", "window")
        terminal.answer("leave): ", early)
        terminal.until("Why is the window of stage G changed?")
        terminal.answer("leave): ", "the freeze was lifted")
        terminal.answer("Number (empty: 1): ", "")
        terminal.until("POINT OF NO RETURN: G.remove")
        terminal.until(f"rm -- '{database}'")
        terminal.answer("for good? [y/N]: ", "y")
        terminal.until("Type the phrase exactly (empty: leave): ")
        terminal.type(f"REMOVE {database}\n")
        terminal.until("That came all at once")
        assert database.exists()
        terminal.until("Type the phrase exactly (empty: leave): ")
        terminal.by_hand(f"REMOVE {database}")
        terminal.type("\n")
        terminal.until("G.remove  PASSED")
        terminal.answer("Number (empty: 1): ", "")
        terminal.answer("changed: the freeze was lifted. Is it so? [y/N]: ", "y")
        assert terminal.end() == 0
    assert not database.exists()
