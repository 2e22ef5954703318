"""`runbook run --headless` and what is told before a run starts."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from runbook.record.events import InputGiven, RunFinished, StepFinished
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.cli.bench import ANSWERS, SITE, Bench


def _state(bench: Bench) -> RunFinished:
    (journal,) = bench.journals
    assert verify(journal).intact
    *_, last = read_events(journal)
    assert isinstance(last, RunFinished)
    return last


def test_all_green(bench: Bench) -> None:
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 0, done.stderr
    (journal,) = bench.journals
    found = verify(journal)
    assert _state(bench).state == "green"
    run_id = journal.parent.name
    short = " ".join(found.head[start : start + 4].upper() for start in range(0, 20, 4))
    assert done.stdout.splitlines() == [
        f"run      {run_id}",
        "state    green",
        "steps    3 passed",
        f"journal  {journal}",
        f"head     {short}",
    ]
    assert "-- A.look  Look" in done.stderr
    assert "the word is hello" in done.stderr
    assert bench("verify", run_id, "--head", short).returncode == 0


def test_inputs_are_on_record_with_their_source(bench: Bench) -> None:
    bench("run", "--headless", "--answers", "answers.yaml", "--set", "seconds=0")
    given = {e.name: (e.value, e.source) for e in read_events(bench.journals[0]) if isinstance(e, InputGiven)}
    assert given["folder"] == ("/tmp", "site")
    assert given["seconds"] == ("0", "set")
    assert given["word"] == ("hello", "answers"), "nobody typed it"


def test_a_failure_stops_and_names_the_step_and_the_likely_cause(bench: Bench) -> None:
    (bench.folder / "answers.yaml").write_text(ANSWERS.replace("hello", "wrong"))
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 1
    assert "not green  A.look: failed" in done.stdout
    assert "The paper says something else" in done.stdout
    assert "1 passed, 1 failed" in done.stdout or "1 waiting, 1 passed, 1 failed" in done.stdout
    assert _state(bench).state == "failed"


def test_the_result_says_what_next_and_what_a_step_waited_for(bench: Bench) -> None:
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(runbook.read_text().replace("cwd: '{{ folder }}'", "cwd: /nowhere"))
    (bench.folder / "answers.yaml").write_text(ANSWERS + "skip: {A.people: later}\n")
    blocked = bench("run", "--headless", "--answers", "answers.yaml").stdout
    assert "not green  A.look: blocked\n  the fact `somebody` is not established" in blocked
    (bench.folder / "answers.yaml").write_text(ANSWERS)
    failed = bench("run", "--headless", "--answers", "answers.yaml")
    (said,) = [line.strip() for line in failed.stderr.splitlines() if "what next: " in line]
    assert failed.stdout.splitlines()[3:6] == [
        next(line for line in failed.stdout.splitlines() if line.startswith("not green  A.look: errored: ")),
        f"  W{said[1:]}",
        "  Likely: The paper says something else",
    ]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("answers: 1\n", "the answers have no `attest: [A.people]`"),
        ("answers: 1\nattest: [A.people]\n", "the answers have no `inputs.word`"),
        ("answers: 1\nattest: all\ninputs: {word: hello}\n", "the answers have no `confirm.B.wait`"),
        ("answers: 1\nattest: all\ninputs: {word: HELLO}\n", "the answer `inputs.word` cannot be used"),
    ],
)
def test_a_prompt_without_an_answer_names_the_key(bench: Bench, answers: str, said: str) -> None:
    (bench.folder / "answers.yaml").write_text(answers)
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize("key", ["attest: [A.peple]", "skip: {A.peple: later}", "confirm: {A.peple: yes}"])
def test_answers_for_a_step_that_is_not_there_are_refused_at_once(bench: Bench, key: str) -> None:
    (bench.folder / "answers.yaml").write_text(f"answers: 1\n{key}\n")
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert (done.returncode, bench.journals) == (2, [])
    assert "the step `A.peple`, which the runbook does not have" in done.stderr
    assert "did you mean `A.people`?" in done.stderr


def test_no_at_a_gate_is_no(bench: Bench) -> None:
    (bench.folder / "answers.yaml").write_text(ANSWERS.replace("yes", "no"))
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 1
    assert "the operator said no at the gate" in done.stdout


def test_a_skip_is_a_deviation_with_its_reason(bench: Bench) -> None:
    (bench.folder / "answers.yaml").write_text(ANSWERS + "skip: {A.look: the paper is at the bank}\n")
    done = bench("run", "--headless", "--answers", "answers.yaml", "--stage", "A")
    assert "deviation  A.look skipped: the paper is at the bank" in done.stdout
    assert done.returncode == 1


def test_a_stage_alone(bench: Bench) -> None:
    done = bench("run", "--headless", "--answers", "answers.yaml", "--stage", "A")
    assert done.returncode == 0, done.stdout
    assert {e.step for e in read_events(bench.journals[0]) if isinstance(e, StepFinished)} == {"A.people", "A.look"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.yaml"], "nothing.yaml"),
        (["--set", "fodler=/tmp"], "did you mean `folder`"),
        (["--set", "word=hello"], "comes from paper and is typed blind"),
        (["--set", "seconds=soon"], "is not a digit"),
        (["--set", "folder=/nowhere/at/all"], "does not exist"),
        (["--set", "folder"], "this is not NAME=VALUE"),
        (["--set", "folder=/tmp", "--set", "folder=/tmp"], "`folder` is given twice"),
        (["--stage", "C"], "the runbook has no stage `C`"),
        (["--plain"], "choose one"),
        (["--site", "nowhere.yaml"], "nowhere.yaml"),
        (["--answers", "nowhere.yaml"], "nowhere.yaml"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_wrong_call_is_told_and_leaves_no_run(bench: Bench, arguments: list[str], said: str) -> None:
    done = bench("run", "--headless", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert bench.journals == []


def test_a_secret_is_refused_on_the_command_line(bench: Bench) -> None:
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(
        runbook.read_text().replace("facts:\n", "  pass: {type: secret, ask: 'The password?'}\nfacts:\n", 1)
    )
    done = bench("run", "--headless", "--set", "pass=geheim99")
    assert done.returncode == 2
    assert "on a command line everybody on this machine can read it" in done.stderr
    assert "geheim99" not in done.stderr


def test_without_a_site_profile_it_says_what_one_has_to_give(bench: Bench) -> None:
    (bench.folder / "site.yaml").unlink()
    done = bench("run", "--headless")
    assert done.returncode == 2
    assert "there is no site profile" in done.stderr
    assert "the input `folder`" in done.stderr
    assert "two_people" not in done.stderr


def test_without_a_site_profile_it_says_that_second_people_have_to_be_named(bench: Bench) -> None:
    (bench.folder / "site.yaml").unlink()
    runbook = bench.folder / "runbook.yaml"
    two = runbook.read_text().replace("gate: {after", "gate: {two_person: true, after")
    runbook.write_text(two.replace("inputs:", "roles: [driver, witness]\ninputs:", 1))
    done = bench("run", "--headless")
    assert done.returncode == 2
    assert "`two_people`, who may approve" in done.stderr


def test_a_site_profile_that_lacks_a_value_is_told(bench: Bench) -> None:
    (bench.folder / "site.yaml").write_text(SITE.replace("  folder: /tmp\n", ""))
    done = bench("run", "--headless")
    assert done.returncode == 2
    assert "does not give the input `folder`" in done.stderr
    assert bench("run", "--headless", "--set", "folder=/tmp").returncode == 1, "then it starts"


def test_without_a_runbook_here(bench: Bench) -> None:
    (bench.folder / "runbook.yaml").unlink()
    done = bench("run", "--headless")
    assert done.returncode == 2
    assert "runbook.yaml" in done.stderr


def test_without_a_terminal_it_says_what_to_do(bench: Bench) -> None:
    for arguments in (["run"], ["run", "--plain"]):
        done = bench(*arguments)
        assert done.returncode == 4
        assert "there is no terminal" in done.stderr
        assert "--headless" in done.stderr
    assert bench.journals == []


@pytest.mark.parametrize("arguments", [["run", "nope.yaml"], ["run", "--stage", "Z"], ["rehearse", "nope.yaml"]])
def test_a_wrong_call_is_told_before_the_lack_of_a_terminal(bench: Bench, arguments: list[str]) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stderr
    assert "no terminal" not in done.stderr


def test_a_state_folder_that_cannot_be_written(bench: Bench) -> None:
    bench.state.write_text("a file stands in its place")
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 4
    assert "the state folder cannot be written" in done.stderr
    assert "XDG_STATE_HOME" in done.stderr


def test_a_full_state_folder_stops_before_anything_is_done(bench: Bench) -> None:
    bench.state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", bench.state], check=True)
    try:
        done = bench("run", "--headless", "--answers", "answers.yaml")
    finally:
        subprocess.run(["umount", "--lazy", bench.state], check=True)
    assert done.returncode == 4
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_dry_run_shows_the_walk_and_leaves_no_trace(bench: Bench) -> None:
    done = bench("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "input folder = /tmp (site)" in done.stdout
    assert "input word: typed blind from paper when it is needed" in done.stdout
    assert 'check command {"run": ["echo", "the word is <word>"]' in done.stdout
    assert "requires somebody (established before it)" in done.stdout
    assert "after the answer yes to: Wait 0 seconds?" in done.stdout
    assert not bench.state.exists()
    only = bench("run", "--dry-run", "--stage", "A")
    assert "-- A.look" in only.stdout
    assert "-- B.wait" not in only.stdout


def test_stages_that_can_never_start_alone_are_refused_before_anything_is_asked(bench: Bench) -> None:
    done = bench("run", "--headless", "--answers", "answers.yaml", "--stage", "B")
    assert (done.returncode, done.stdout, bench.journals) == (2, "", [])
    assert "not every step could ever start: B.wait waits for stage A\n" in done.stderr
    assert "Add what comes before: --stage A --stage B." in done.stderr
    dry = bench("run", "--dry-run", "--stage", "B")
    assert dry.returncode == 2
    assert "CANNOT START: stage A is not part of this run" in dry.stdout
    assert "--stage A --stage B" in dry.stderr
    assert bench("run", "--dry-run", "--stage", "A", "--stage", "B").returncode == 0


def test_a_fact_that_only_another_stage_establishes_shuts_a_step_too(bench: Bench) -> None:
    runbook = bench.folder / "runbook.yaml"
    runbook.write_text(
        runbook.read_text().replace("gate: {after: [A], confirm", "requires: [somebody]\n        gate: {confirm")
    )
    done = bench("run", "--headless", "--stage", "B")
    assert done.returncode == 2
    assert "B.wait waits for the fact `somebody` of stage A" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_step_at_hand_and_the_run_cleanly(bench: Bench, number: signal.Signals) -> None:
    (bench.folder / "site.yaml").write_text(SITE.replace("seconds: 0", "seconds: 300"))
    with bench.start("run", "--headless", "--answers", "answers.yaml") as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "-- B.wait" in line:
                break
        run.send_signal(number)
        stdout, _ = run.communicate(timeout=20)
    assert run.returncode == 3
    assert "state    stopped" in stdout
    assert number.name in stdout or "ctrl-c" in stdout
    assert _state(bench).state == "stopped"
    left = subprocess.run(["pgrep", "-f", "^sleep 300$"], capture_output=True, text=True, check=False)
    assert left.stdout == "", "no child is left"


def test_pins_in_a_file_that_others_can_read_are_refused(bench: Bench) -> None:
    answers = bench.folder / "answers.yaml"
    answers.write_text(ANSWERS + "pins: {intermediate: '648219'}\n")
    answers.chmod(0o644)
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 2
    assert "mode 0644" in done.stderr
    assert "chmod 600" in done.stderr
    answers.chmod(0o600)
    assert bench("run", "--headless", "--answers", "answers.yaml").returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "answers: 1\npins: {intermediate: 648219}\n",
        "answers: 1\npins: {intermediate: '648219'\n",
        "answers: 1\npins: {intermediate: '648219'}\npinz: '648219'\n",
        "answers: 1\npins: '648219'\n",
        "answers: 2\npins: {intermediate: '648219'}\n",
    ],
)
def test_a_wrong_answers_file_never_shows_its_pin(bench: Bench, text: str) -> None:
    answers = bench.folder / "answers.yaml"
    answers.write_text(text)
    answers.chmod(0o600)
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 2
    assert "answers.yaml:" in done.stderr
    assert "648219" not in done.stderr + done.stdout


def test_runs_are_listed(bench: Bench) -> None:
    bench("run", "--headless", "--answers", "answers.yaml")
    (bench.folder / "answers.yaml").write_text("answers: 1\n")
    bench("run", "--headless", "--answers", "answers.yaml")
    rows = [line.split() for line in bench("runs").stdout.splitlines()]
    assert [row[2] for row in rows] == ["STATE", "green", "failed"]
    listed = json.loads(bench("runs", "--json").stdout)
    assert [run["state"] for run in listed] == ["green", "failed"]
    assert {Path(run["folder"]) for run in listed} == {path.parent for path in bench.journals}
    assert listed[0]["rehearsal"] is False


def test_a_run_that_goes_on_and_one_that_was_killed_are_told_apart(bench: Bench) -> None:
    (bench.folder / "site.yaml").write_text(SITE.replace("seconds: 0", "seconds: 300"))
    with bench.start("run", "--headless", "--answers", "answers.yaml") as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "-- B.wait" in line:
                break
        assert json.loads(bench("runs", "--json").stdout)[0]["state"] == "running"
        run.kill()
        run.communicate(timeout=20)
    assert json.loads(bench("runs", "--json").stdout)[0]["state"] == "unfinished"
    assert bench("verify", "last").returncode == 0


def test_the_pin_of_the_answers_is_nowhere_in_the_state_folder(bench: Bench) -> None:
    """The step prints it by accident."""
    answers = bench.folder / "answers.yaml"
    answers.write_text(ANSWERS.replace("hello", "hellopinpin") + "pins: {intermediate: 'pinpin'}\n")
    answers.chmod(0o600)
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert "pinpin" not in done.stdout + done.stderr
    assert all(b"pinpin" not in path.read_bytes() for path in bench.state.rglob("*") if path.is_file())


def test_verify_names_the_record_that_was_changed(bench: Bench) -> None:
    bench("run", "--headless", "--answers", "answers.yaml")
    (journal,) = bench.journals
    content = bytearray(journal.read_bytes())
    lines = content.split(b"\n")
    content[len(lines[0]) + 1 + len(lines[1]) // 2] ^= 1
    journal.write_bytes(bytes(content))
    done = bench("verify", str(journal))
    assert done.returncode == 1
    assert "CHANGED  record 2 (line 2)" in done.stdout


def test_an_empty_head_is_not_taken_for_no_head(bench: Bench) -> None:
    bench("run", "--headless", "--answers", "answers.yaml")
    done = bench("verify", "last", "--head", "")
    assert (done.returncode, done.stdout) == (2, ""), "a script whose variable is unset must not read `Intact`"
    assert "is not a head" in done.stderr


def test_verify_of_a_folder_without_a_journal_says_so(bench: Bench) -> None:
    (bench.folder / "stick").mkdir()
    done = bench("verify", "stick")
    assert (done.returncode, done.stdout) == (2, "")
    assert "stick: this folder holds no journal.jsonl" in done.stderr
    assert "Name the folder of one run" in done.stderr


def test_verify_of_no_run_suggests_some(bench: Bench) -> None:
    bench("run", "--headless", "--answers", "answers.yaml")
    run_id = bench.journals[0].parent.name
    for name in (run_id[:-1] + "?", "nothing"):
        done = bench("verify", name)
        assert done.returncode == 2
        assert "there is no run" in done.stderr
    assert run_id in bench("verify", run_id[:-1] + "?").stderr
    assert bench("verify", run_id[:12]).returncode == 0, "the beginning of an id is enough"
