"""`runbook rollback`: what was done is undone, the newest first, and what cannot be undone is said before."""

from __future__ import annotations

import re

import pytest

from runbook.record import events as ev
from runbook.record.state import fold
from runbook.record.verify import verify
from tests.cli.bench import Bench
from tests.rollback.bench import FAILS, HANGS, Undo

WAYS = ["B.four.undo1", "B.four.undo2", "B.three.undo", "B.two.undo", "A.one.undo1", "A.one.undo2", "A.told.undo"]


def test_what_was_done_is_undone_the_newest_first(bench: Bench) -> None:
    undo = Undo(bench)
    run = undo.run()
    assert undo.made == {"one-hello", "forever", "note", "two", "three", "four"}

    done = undo.rollback()

    assert done.returncode == 0, done.stderr
    assert undo.made == {"forever", "note"}, "what has no way back stays"
    back = undo.newest
    assert undo.started(back) == ["rollback.list", *WAYS]
    header = next(event for event in undo.events(back) if isinstance(event, ev.RunStarted))
    assert (header.rolls_back, header.rolls_back_head) == (run, verify(undo.journal(run)).head)
    assert undo.intact(run, back)
    assert f"of       {run}, its head" in done.stdout
    values = [(event.value, event.source) for event in undo.events(back) if isinstance(event, ev.InputGiven)]
    assert values == [("hello", "rolled-back run")], "what was typed from paper is not asked for again"


def test_it_is_said_before_what_is_undone_and_what_is_not(bench: Bench) -> None:
    undo = Undo(bench, three=FAILS)
    undo.run()
    journals = bench.journals

    listed = bench("rollback", "--dry-run")

    assert listed.returncode == 0
    assert bench.journals == journals, "a list leaves no record"
    assert undo.made == {"one-hello", "forever", "note", "two"}
    undone, _, rest = listed.stdout.partition("\nNot undone:\n")
    stays, _, never = rest.partition("\nNever done, so nothing to undo: ")
    assert re.findall(r"^    (\S+\.undo\d?) ", undone, re.MULTILINE) == WAYS[2:]
    assert "mv one-hello gone" in undone, "what is done exactly, with the values inserted"
    assert "IN DOUBT" in undone.partition("B.two")[0]
    assert "B.inside  Two is filled\n    along with B.two" in undone
    assert re.search(r"A\.forever .*IRREVERSIBLE\n    Nothing removes forever", stays)
    assert "A.noted  A note is made\n    the runbook names no way back" in stays
    assert "Who has seen one has seen it" in stays
    assert never.strip() == "B.four"

    # The same stands on the record of the roll-back, and is confirmed first.
    assert undo.rollback().returncode == 0
    (first,) = [event for event in undo.events(undo.newest) if getattr(event, "step", "") == "rollback.list"][-1:]
    assert isinstance(first, ev.StepFinished)
    said = "\n".join(first.outcome.evidence[0].plain())
    assert "Undone, the newest first: B.three (in doubt), B.two, A.one, A.told" in said
    assert "Not undone: A.forever (Forever is made): Nothing removes forever" in said


def test_what_must_be_so_afterwards_is_checked(bench: Bench) -> None:
    undo = Undo(bench)
    runbook = undo.folder / "runbook.yaml"
    runbook.write_text(runbook.read_text().replace("run: [test, '!', -e, four]", "run: [test, -e, settled]"))
    undo.run()
    done = undo.rollback()
    assert done.returncode == 1
    assert "not green  B.four.undo2: failed" in done.stdout
    assert "three" in undo.made, "what comes after it waits"
    (undo.folder / "settled").touch()
    assert undo.resume().returncode == 0
    assert undo.made == {"forever", "note", "settled"}


def test_a_no_to_the_list_ends_it_and_the_run_goes_on_as_if_nothing_had_been(bench: Bench) -> None:
    undo = Undo(bench, three="test -e go && touch three")
    run = undo.run()
    undo.answer("attest: all", "attest: [A.told]")
    refused = undo.rollback()
    assert refused.returncode == 1
    assert undo.made == {"one-hello", "forever", "note", "two"}
    back = undo.newest

    (undo.folder / "go").touch()
    assert undo.resume(run).returncode == 0, "nothing was undone, so the run may go on"
    undo.answer("attest: [A.told]", "attest: all")
    late = undo.resume(back)
    assert late.returncode == 2
    assert f"the run {run} has gone on since" in late.stderr
    assert "four" in undo.made


def test_a_run_that_was_rolled_back_does_not_go_on(bench: Bench) -> None:
    undo = Undo(bench, three=FAILS)
    run = undo.run()
    assert undo.rollback().returncode == 0
    back = undo.newest
    later = undo.resume(run)
    assert later.returncode == 2
    assert f"this run was rolled back, at least in part: {back}" in later.stderr
    assert "there is no run to go on with" in undo.resume().stderr
    rows = {line.split()[0]: line for line in bench("runs").stdout.splitlines()}
    assert f"rolled back by {back}" in rows[run]
    assert f"rolls back {run}" in rows[back]


def test_nothing_is_undone_twice(bench: Bench) -> None:
    undo = Undo(bench)
    run = undo.run()
    undo.answer("phrases: all", "phrases: all\nskip: {B.three.undo: not now}")
    first = undo.rollback()
    assert first.returncode == 1
    assert undo.made == {"forever", "note", "three"}
    one = undo.newest

    undo.answer("\nskip: {B.three.undo: not now}", "")
    second = undo.rollback(run)
    assert second.returncode == 0, second.stderr
    assert undo.made == {"forever", "note"}
    two = undo.newest
    assert undo.started(two) == ["rollback.list", "B.three.undo"]
    assert undo.intact(run, one, two)

    third = undo.rollback(run)
    assert third.returncode == 2
    assert "nothing of this run is left to undo" in third.stderr
    assert "A.forever: Nothing removes forever" in third.stderr
    assert "Undone before: A.told, A.one, B.two, B.three, B.four" in third.stderr
    rolled = undo.rollback(two)
    assert (rolled.returncode, "this run is a roll-back" in rolled.stderr) == (2, True)


# What may not have been done.


def test_what_is_in_doubt_is_probed_and_passed_over_where_it_was_not_done(bench: Bench) -> None:
    undo = Undo(bench, three=FAILS)
    undo.run()
    assert undo.rollback().returncode == 0
    back = undo.newest
    assert "B.three.undo" not in undo.started(back), "there is nothing to undo"
    probes = [event for event in undo.events(back) if isinstance(event, ev.StepProbed)]
    assert (probes[0].step, probes[0].answer) == ("B.three.undo", "not done")
    state = fold(undo.events(back))
    outcome = state.step("B.three.undo").outcome
    assert outcome is not None
    assert outcome.summary == "nothing to undo: B.three was not done"
    assert undo.made == {"forever", "note"}


def test_what_a_killed_driver_was_at_is_probed_and_undone(bench: Bench) -> None:
    undo = Undo(bench, three=HANGS)
    run = undo.killed("run", at="B.three")
    assert "three" in undo.made
    done = undo.rollback()
    assert done.returncode == 0, done.stderr
    assert "IN DOUBT: it had begun when the run was left; its probe is asked first" in done.stderr
    assert "Never done, so nothing to undo: B.four" in done.stderr
    back = undo.newest
    assert undo.made == {"forever", "note"}
    probes = [event for event in undo.events(back) if isinstance(event, ev.StepProbed)]
    assert (probes[0].step, probes[0].answer) == ("B.three.undo", "done")
    assert undo.intact(run, back)


# A roll-back that is left.


def test_a_roll_back_that_was_killed_goes_on_and_undoes_nothing_twice(bench: Bench) -> None:
    hangs = "test -e three || exit 1; rm three; test -e again || { touch again; echo $$ > pid; sleep 600; }"
    undo = Undo(bench, undo_three=hangs)
    run = undo.run()
    back = undo.killed("rollback", at="B.three.undo")
    assert "three" not in undo.made

    another = undo.rollback(run)
    assert another.returncode == 2
    assert f"runbook resume {back}" in another.stderr

    undo.answer("phrases: all", "phrases: all\ndone: {B.three.undo: it is gone}")
    done = undo.resume()
    assert done.returncode == 0, done.stderr
    assert undo.started(back) == ["rollback.list", *WAYS], "each once"
    assert undo.made == {"forever", "note", "again"}
    assert undo.ending(back) == "green"
    assert undo.intact(run, back)


def test_the_head_on_paper_is_checked_before(bench: Bench) -> None:
    undo = Undo(bench)
    run = undo.run()
    wrong = undo.rollback(run, "--head", "3F9A 07C1 52DE 88B0 41A6")
    assert (wrong.returncode, "the head on paper is not one of this record" in wrong.stderr) == (2, True)
    assert "four" in undo.made
    head = verify(undo.journal(run)).head
    assert undo.rollback(run, "--head", head[:20]).returncode == 0
    assert undo.made == {"forever", "note"}


@pytest.mark.parametrize("what", ["runbook", "driven"])
def test_a_run_that_is_not_as_it_was_is_refused(bench: Bench, what: str) -> None:
    undo = Undo(bench, three=HANGS if what == "driven" else "touch three")
    if what == "runbook":
        undo.run()
        path = undo.folder / "runbook.yaml"
        path.write_text(path.read_text().replace("[rm, four]", "[rm, -rf, four]"))
        refused = undo.rollback()
        assert "runbook: B.four: backout" in refused.stderr
        assert "Put the files back" in refused.stderr
        assert "--accept-changes" not in refused.stderr
    else:
        driver = bench.start("run", "--headless", "--answers", "answers.yaml")
        while not (undo.folder / "pid").exists():
            assert driver.poll() is None
        refused = undo.rollback()
        driver.terminate()
        driver.communicate(timeout=60)
        assert "is being driven" in refused.stderr
    assert refused.returncode != 0
    assert "three" in undo.made
    assert len(bench.journals) == 1
