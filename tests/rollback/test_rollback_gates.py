"""What is asked before a step is undone: a yes at each, the phrase and the second person where the step had them."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing

import pytest
import yaml

from runbook.model import Runbook
from runbook.people.following import Following
from runbook.record import events as ev
from runbook.record.gate_events import ApprovalGiven
from runbook.record.state import fold
from tests.cli.bench import Bench
from tests.people.keys import Keys
from tests.rollback.bench import Undo


def outcome_of(undo: Undo, step: str) -> str:
    outcome = fold(undo.events(undo.newest)).step(step).outcome
    assert outcome is not None
    return outcome.summary


def test_a_no_leaves_the_step_as_it_is(bench: Bench) -> None:
    undo = Undo(bench)
    undo.run()
    undo.answer("B.three.undo: true", "B.three.undo: false")
    done = undo.rollback()
    assert done.returncode == 1
    assert outcome_of(undo, "B.three.undo") == "the operator said no at the gate; nothing was done"
    assert undo.made == {"one-hello", "forever", "note", "two", "three"}, (
        "the one before is undone, those after are not"
    )


def test_each_asks_by_itself(bench: Bench) -> None:
    undo = Undo(bench)
    undo.run()
    undo.answer("  A.one.undo2: true\n", "")
    assert undo.rollback().returncode == 1
    asked = [event.step for event in undo.events(undo.newest) if isinstance(event, ev.PromptShown)]
    assert asked[-1] == "A.one.undo2"
    assert {"B.four.undo1", "B.three.undo", "B.two.undo", "A.one.undo1"} <= set(asked)
    assert "gone" in undo.made, "the first way of one was walked, the second was not"


def test_what_took_a_phrase_takes_one_on_its_way_back(bench: Bench) -> None:
    undo = Undo(bench)
    undo.run()
    undo.answer("phrases: all", "phrases: [B.two]")
    assert undo.rollback().returncode == 1
    assert "two" in undo.made
    assert "B.two.undo" not in undo.started(undo.newest)
    undo.answer("phrases: [B.two]", "phrases: [B.two.undo]")
    assert undo.resume().returncode == 0
    assert "two" not in undo.made


@pytest.mark.parametrize("signer", ["ben", "anna"])
def test_what_took_two_people_takes_them_on_its_way_back(bench: Bench, signer: str) -> None:
    keys = Keys(bench.folder)
    for name in ("anna", "ben", "carl"):
        keys.make(name)
        keys.allow(f"{name}@example.org", name)
    undo = Undo(bench)
    two = keys.two_people().model_dump(mode="json", exclude_defaults=True)
    (undo.folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here", "two_people": two}))
    runbook = undo.folder / "runbook.yaml"
    text = runbook.read_text().replace("gate: {phrase: 'MAKE TWO'}", "gate: {phrase: 'MAKE TWO', two_person: true}")
    runbook.write_text(text.replace("title: Files", "roles: [driver, witness]\ntitle: Files"))
    witness = "driver: anna\nwitness: {ben: '" + str(bench.folder / "ben") + "'}"
    undo.answer("phrases: all", f"phrases: all\n{witness}")
    undo.run()
    assert "two" in undo.made

    undo.answer(str(bench.folder / "ben"), str(bench.folder / signer))
    done = undo.rollback()

    given = [event for event in undo.events(undo.newest) if isinstance(event, ApprovalGiven)]
    if signer == "anna":
        assert done.returncode == 1
        assert not given
        assert "two" in undo.made
        return
    assert done.returncode == 0, done.stderr
    assert [(event.step, event.witness) for event in given] == [("B.two.undo", "ben")]
    checked = bench("verify", undo.newest, "--signers", str(keys.two_people().allowed_signers))
    assert (checked.returncode, "approval B.two.undo by ben" in checked.stdout) == (0, True), checked.stdout


def test_a_witness_sees_what_is_undone(bench: Bench) -> None:
    undo = Undo(bench)
    undo.run()
    assert undo.rollback().returncode == 0

    async def runbook_of(following: Following) -> Runbook | None:
        async with aclosing(following.events()) as events:
            await anext(events)
            return await following.runbook()

    seen = asyncio.run(runbook_of(Following(undo.journal(undo.newest))))
    assert seen is not None
    assert [step.id for _, step in seen.steps()][:2] == ["rollback.list", "B.four.undo1"]


# With a person.


def test_a_person_sees_the_list_and_the_exact_commands(bench: Bench) -> None:
    undo = Undo(bench)
    run = undo.run()
    with bench.terminal("rollback", run, "--plain") as terminal:
        before = terminal.until("is next")
        assert "Not undone:" in before
        assert "Nothing removes forever" in before
        terminal.answer("Number (empty: 1): ", "")
        for statement in ("Undone, the newest first", "Undone along", "Not undone", "Not undone", "Not undone"):
            terminal.until(statement)
            terminal.answer("[y/N]: ", "y")
        terminal.answer("Number (empty: 1): ", "")
        shown = terminal.until("Do B.four.undo1 now, which undoes B.four? [y/N]: ")
        assert "rm four" in shown
        terminal.type("n\n")
        terminal.until("the operator said no at the gate")
        terminal.answer("Number", "3")
        assert terminal.end() in (1, 3)
    assert "four" in undo.made
    assert undo.intact(run, undo.newest)


def test_it_is_walked_on_the_screens(bench: Bench) -> None:
    undo = Undo(bench)
    run = undo.run()
    with bench.terminal("rollback", run) as terminal:
        terminal.until("ROLL-BACK")
        terminal.until("your turn")
        terminal.send(signal.SIGTERM)
        assert terminal.end() == 3
    assert undo.ending(undo.newest) == "stopped"
    assert undo.resume(run).returncode == 2, "it is green, and nothing was undone"


def test_without_a_terminal_nothing_is_begun(bench: Bench) -> None:
    undo = Undo(bench)
    undo.run()
    refused = bench("rollback")
    assert (refused.returncode, "--headless" in refused.stderr) == (4, True)
    both = bench("rollback", "--headless", "--plain")
    assert both.returncode == 2
    none = bench("rollback", "nothing-like-that")
    assert (none.returncode, "there is no run" in none.stderr) == (2, True)
    assert len(bench.journals) == 1
