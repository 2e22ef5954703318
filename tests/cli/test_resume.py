"""`runbook resume`, and `runbook run` that offers it: which run is meant, and what is refused before all else."""

from __future__ import annotations

import getpass
import platform
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from runbook.event import Event
from runbook.record import events as ev
from runbook.record.gate_events import ApprovalGiven, WindowSet
from runbook.record.journal import read_events
from runbook.record.state import fold
from tests.cli.bench import ANSWERS, Bench
from tests.people.keys import Keys

SHORT = ANSWERS.replace("confirm: {B.wait: yes}\n", "")
"""Answers that do not go as far as the end."""

HOLD = """\
  - id: C
    title: Third
    steps:
      - id: C.hold
        title: Wait for a file
        check: command
        run: [sh, -c, 'until test -e {folder}/go; do sleep 0.05; done']
"""


def left(bench: Bench) -> str:
    """A run that came as far as its last step; its id."""
    (bench.folder / "short.yaml").write_text(SHORT)
    before = set(bench.journals)
    done = bench("run", "--headless", "--answers", "short.yaml")
    assert done.returncode == 1, done.stderr
    (journal,) = set(bench.journals) - before
    return journal.parent.name


def resume(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[str]:
    return bench("resume", *arguments, "--headless", "--answers", "answers.yaml")


def journal_of(bench: Bench, run_id: str) -> Path:
    return bench.state / "hsm-runbook" / "runs" / run_id / "journal.jsonl"


def events(bench: Bench, run_id: str) -> list[Event]:
    return list(read_events(journal_of(bench, run_id)))


def resumed(bench: Bench, run_id: str) -> ev.RunResumed:
    return [event for event in events(bench, run_id) if isinstance(event, ev.RunResumed)][-1]


def green(bench: Bench, run_id: str) -> bool:
    return fold(events(bench, run_id)).finished == "green" and bench("verify", run_id).returncode == 0


def head(bench: Bench, run_id: str) -> str:
    """As it stands on paper."""
    (line,) = [line for line in bench("verify", run_id).stdout.splitlines() if line.startswith("head")]
    return line.removeprefix("head").strip()


def started(bench: Bench, run_id: str) -> list[str]:
    return [event.step for event in events(bench, run_id) if isinstance(event, ev.StepStarted)]


def driven(bench: Bench, *arguments: str) -> subprocess.Popen[str]:
    """A run that is at work in its last step until the file `go` is there."""
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(runbook.read_text() + HOLD.replace("{folder}", str(bench.folder)))
    driver = bench.start("run", "--headless", "--answers", "answers.yaml", *arguments)
    until = time.monotonic() + 60
    while not (bench.journals and b'"C.hold"' in bench.journals[-1].read_bytes()):
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    return driver


# Which run.


@pytest.mark.parametrize("named", ["id", "prefix", "last", "folder", "nothing"])
def test_a_run_goes_on_by_any_name(bench: Bench, named: str) -> None:
    run_id = left(bench)
    names = {"id": [run_id], "prefix": [run_id[:-2]], "last": ["last"], "nothing": []}
    done = resume(bench, *names.get(named, [str(journal_of(bench, run_id).parent)]))
    assert done.returncode == 0, done.stderr
    assert green(bench, run_id)
    assert started(bench, run_id) == ["A.people", "A.look", "B.wait"], "what was done is not done again"
    assert f"run {run_id} goes on" in done.stderr


def test_there_is_nothing_to_go_on_with(bench: Bench) -> None:
    none = resume(bench)
    assert (none.returncode, "there is no run to go on with" in none.stderr) == (2, True)
    assert bench("run", "--headless", "--answers", "answers.yaml").returncode == 0
    assert "there is no run to go on with" in resume(bench).stderr
    ended = resume(bench, "last")
    assert (ended.returncode, "this run ended green" in ended.stderr) == (2, True)


def test_a_run_in_which_the_rest_was_skipped_is_over(bench: Bench) -> None:
    (bench.folder / "skips.yaml").write_text(f"{ANSWERS}skip: {{A.look: not here, B.wait: no time}}\n")
    done = bench("run", "--headless", "--answers", "skips.yaml")
    assert done.returncode == 1
    assert "runbook resume" not in done.stdout
    assert "there is no run to go on with" in resume(bench).stderr
    assert "every step of this run is green or was skipped" in resume(bench, "last").stderr
    with bench.terminal("run", "--plain") as terminal:
        assert "unfinished run" not in terminal.until("A.people is next")
        terminal.send(signal.SIGTERM)
        assert terminal.end(60) == 3


def test_several_are_unfinished(bench: Bench) -> None:
    first, second = left(bench), left(bench)
    unclear = resume(bench, first[:4])
    assert unclear.returncode == 2
    assert f"may mean {first}, {second}" in unclear.stderr
    assert resume(bench).returncode == 0
    assert green(bench, second), "the newest first, also of the same second"
    assert resume(bench).returncode == 0, "the other one"
    assert green(bench, first)


# What is refused.


def test_the_head_on_paper(bench: Bench) -> None:
    run_id = left(bench)
    right, before = head(bench, run_id), journal_of(bench, run_id).read_bytes()
    wrong = resume(bench, run_id, "--head", "0000 0000 0000 0000 0000")
    assert wrong.returncode == 2
    assert "the head on paper is not one of this record" in wrong.stderr
    assert journal_of(bench, run_id).read_bytes() == before, "nothing was done"
    assert resume(bench, run_id, "--head", right.lower()).returncode == 0
    assert resumed(bench, run_id).head_typed == right.lower()


def test_a_changed_runbook_is_refused_with_what_differs(bench: Bench) -> None:
    run_id = left(bench)
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(runbook.read_text().replace("the word is {{ word }}", "the word was {{ word }}"))
    before = journal_of(bench, run_id).read_bytes()
    done = resume(bench, run_id)
    assert done.returncode == 2
    assert "runbook: " in done.stderr
    assert "A.look" in done.stderr
    assert "the word was" in done.stderr
    alone = resume(bench, run_id, "--accept-changes")
    assert alone.returncode == 2
    assert "names no two people" in alone.stderr
    assert journal_of(bench, run_id).read_bytes() == before


def test_a_changed_site_profile_is_refused_with_what_differs(bench: Bench) -> None:
    run_id = left(bench)
    site = bench.folder / "site.yaml"
    site.write_text(site.read_text().replace("seconds: 0", "seconds: 1"))
    done = resume(bench, run_id)
    assert done.returncode == 2
    assert "site profile: " in done.stderr
    assert "seconds" in done.stderr


@pytest.mark.parametrize("signer", ["ben", "carl"])
def test_two_people_accept_what_was_changed(bench: Bench, signer: str) -> None:
    keys = Keys(bench.folder)
    for name in ("anna", "ben", "carl"):
        keys.make(name)
        keys.allow(f"{name}@example.org", name)
    site = bench.folder / "site.yaml"
    two = keys.two_people().model_dump(mode="json", exclude_defaults=True)
    site.write_text(site.read_text() + yaml.safe_dump({"two_people": two}))
    run_id = left(bench)
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(runbook.read_text().replace("title: Look", "title: Look again"))
    (bench.folder / "answers.yaml").write_text(
        f"{ANSWERS}driver: anna\nwitness: {{ben: {str(bench.folder / signer)!r}}}\n"
    )
    done = resume(bench, run_id, "--accept-changes")
    if signer == "carl":
        assert done.returncode != 0
        assert not any(isinstance(event, ev.RunResumed) for event in events(bench, run_id))
        return
    assert done.returncode == 0, done.stderr
    assert any("Look again" in change for change in resumed(bench, run_id).changes)
    (given,) = [event for event in events(bench, run_id) if isinstance(event, ApprovalGiven)]
    assert (given.step, given.witness) == ("resume", "ben")
    assert "went on although this changed" in done.stdout
    assert green(bench, run_id)
    assert done.stderr.index("anna drives") < done.stderr.index("== B  Second")


def test_a_damaged_record_is_refused(bench: Bench) -> None:
    run_id = left(bench)
    journal = journal_of(bench, run_id)
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"20", b"21", 1)
    journal.write_bytes(b"".join(lines))
    done = resume(bench, run_id)
    assert done.returncode != 0
    assert "record 4" in done.stderr
    assert journal.read_bytes() == b"".join(lines)


def test_a_torn_last_line_is_cut_and_told(bench: Bench) -> None:
    run_id = left(bench)
    with journal_of(bench, run_id).open("ab") as file:
        file.write(b'{"at":"2026-')
    done = resume(bench, run_id)
    assert done.returncode == 0, done.stderr
    assert resumed(bench, run_id).cut == 12
    assert "12 bytes cut off" in done.stderr
    assert green(bench, run_id)


# Who drives.


def test_a_driver_that_lives_is_named_and_one_that_died_is_not_in_the_way(bench: Bench) -> None:
    driver = driven(bench)
    run_id = bench.journals[-1].parent.name
    refused = resume(bench, run_id)
    assert refused.returncode != 0
    for said in (getpass.getuser(), platform.node(), str(driver.pid)):
        assert said in refused.stderr
    assert "since" in refused.stderr
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    (bench.folder / "go").touch()
    done = resume(bench, run_id)
    assert done.returncode == 0, done.stderr
    assert green(bench, run_id)
    assert started(bench, run_id)[-2:] == ["C.hold", "C.hold"], "a check is run again"
    assert started(bench, run_id).count("B.wait") == 1


def test_a_window_that_was_given_is_not_asked_for_again(bench: Bench) -> None:
    runbook = bench.folder / "runbook.yaml"
    text = runbook.read_text().replace("    title: Second\n", "    title: Second\n    window: {ask: 'When?'}\n")
    runbook.write_text(text)
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    after = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    answers = f"windows: {{B: '{today} 00:00Z to {after} 00:00Z'}}\n"
    (bench.folder / "short.yaml").write_text(SHORT + answers)
    assert bench("run", "--headless", "--answers", "short.yaml").returncode == 1
    run_id = bench.journals[-1].parent.name
    done = resume(bench, run_id)
    assert done.returncode == 0, done.stderr
    assert len([event for event in events(bench, run_id) if isinstance(event, WindowSet)]) == 1


# At a terminal.


def test_beginning_a_runbook_offers_the_run_that_was_left(bench: Bench) -> None:
    run_id = left(bench)
    with bench.terminal("run", "--plain") as terminal:
        terminal.until(run_id)
        terminal.answer("[q]uit: ", "what")
        terminal.answer("[q]uit: ", "r")
        terminal.until("goes on")
        terminal.answer("Number (empty: 1): ", "")
        terminal.answer("Wait 0 seconds? [y/N]: ", "y")
        terminal.answer("Is it so? [y/N]: ", "y")
        assert terminal.end(60) == 0
    assert green(bench, run_id)
    assert len(bench.journals) == 1


@pytest.mark.parametrize(("answer", "code", "runs"), [("q", 3, 1), ("n", 3, 2)])
def test_the_offer_can_be_declined(bench: Bench, answer: str, code: int, runs: int) -> None:
    run_id = left(bench)
    before = journal_of(bench, run_id).read_bytes()
    with bench.terminal("run", "--plain") as terminal:
        terminal.answer("[q]uit: ", answer)
        if answer == "n":
            terminal.until("A.people is next")
            terminal.send(signal.SIGTERM)
        assert terminal.end(60) == code
    assert len(bench.journals) == runs
    assert journal_of(bench, run_id).read_bytes() == before


def test_a_run_goes_on_on_the_screens(bench: Bench) -> None:
    run_id = left(bench)
    with bench.terminal("resume", run_id) as terminal:
        terminal.until("B.wait", 60)
        terminal.send(signal.SIGTERM)
        assert terminal.end(60) == 3
    assert resumed(bench, run_id).cut == 0
    assert fold(events(bench, run_id)).step("A.look").status.green
