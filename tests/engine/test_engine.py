"""The engine against a real journal: what is recorded when, and what may never happen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runbook.context import Context
from runbook.errors import JournalError, StepError
from runbook.event import Event
from runbook.operator import ConfirmRequest, Decided, Decision
from runbook.outcome import Outcome, Verdict
from runbook.record import events as ev
from runbook.record.journal import Journal, read_events
from runbook.record.state import Status, fold
from tests.engine.world import Bench, Lamp, Said, action, check, stage

RETRY = Decided(Decision.RETRY)
SKIP = Decided(Decision.SKIP, "the spare is on its way")


def red(_: Context) -> Outcome:
    return Outcome.failed("it is red", symptom="red")


def once_red(world_ran: list[str]) -> Any:
    return lambda ctx: red(ctx) if world_ran.count(ctx.step_id) == 1 else None


async def test_a_green_run_ends_green_and_its_journal_tells_the_same_state(bench: Bench) -> None:
    await bench.walk(stage(check("A1", establishes=["lit"]), check("A2", requires=["lit"])), facts={"lit": "It is lit"})
    assert bench.events[-1] == ev.RunFinished("green")
    assert bench.world.ran == ["A1", "A2"]
    told = fold(read_events(bench.folder / "run" / "journal.jsonl"))
    assert bench.engine is not None
    assert told.steps.keys() == bench.engine.state.steps.keys()
    assert told.facts == {"lit": "A1"}
    assert [told.step(s).status for s in ("A1", "A2")] == [Status.PASSED, Status.PASSED]


async def test_step_started_is_on_disk_before_the_kind_runs(bench: Bench) -> None:
    on_disk: list[Event] = []

    def look(ctx: Context) -> None:
        on_disk.extend(read_events(bench.folder / "run" / "journal.jsonl"))

    bench.world.behaviour["A1"] = look
    await bench.walk(stage(action("A1")))
    assert isinstance(on_disk[-1], ev.StepStarted)


async def test_an_event_is_on_disk_before_it_is_shown(bench: Bench) -> None:
    missing: list[Event] = []

    def look(event: Event) -> None:
        if event.type not in {e.type for e in read_events(bench.folder / "run" / "journal.jsonl")}:
            missing.append(event)

    bench.on_event = look
    await bench.walk(stage(check("A1")))
    assert len(bench.events) > 4
    assert missing == []


async def test_a_failed_step_stops_the_run_and_shows_the_hint_of_its_symptom(bench: Bench) -> None:
    bench.world.behaviour["A1"] = red
    hints = [
        {"likely": "always", "try": "look"},
        {"when": "red", "likely": "the bulb", "try": {"run": ["ls", "a b"], "sudo": True}},
        {"when": ["cancelled"], "likely": "not this"},
    ]
    await bench.walk(stage(check("A1", hints=hints), check("A2")))
    assert bench.world.ran == ["A1"]
    assert bench.events[-1] == ev.RunFinished("failed", "stopped at A1")
    assert bench.of(ev.StepFinished)[0].hints == (
        "Likely: the bulb",
        "Try: sudo ls 'a b'",
        "Likely: always",
        "Try: look",
    )


async def test_retry_and_skip_are_deviations_and_a_skipped_step_is_not_green(bench: Bench) -> None:
    bench.world.behaviour["A1"] = once_red(bench.world.ran)
    bench.world.behaviour["A2"] = red
    bench.operator.decisions = [RETRY, SKIP]
    await bench.walk(stage(check("A1"), check("A2", establishes=["lit"]), check("A3")), facts={"lit": "It is lit"})
    assert bench.engine is not None
    assert [m.step_id for m in bench.operator.moments] == ["A1", "A1", "A2", "A2", "A3"], "asked once a decision"
    assert bench.engine.state.deviations == ("A1 tried again", "A2 skipped: the spare is on its way")
    assert bench.engine.state.facts == {}
    assert bench.world.ran == ["A1", "A1", "A2", "A3"]
    assert bench.events[-1] == ev.RunFinished("failed", "not green: A2", over=True)


@pytest.mark.parametrize(
    ("second", "rest", "said"),
    [
        (check("B1", requires=["lit"]), {"facts": {"lit": "It is lit"}}, "`lit`"),
        (check("B1", gate={"after": ["A"]}), {}, "stage A"),
        (check("B1", gate={"after": ["A1"]}), {}, "step A1"),
    ],
)
async def test_a_gate_that_does_not_hold_keeps_the_step_from_running(
    bench: Bench, second: dict[str, Any], rest: dict[str, Any], said: str
) -> None:
    bench.world.behaviour["A1"] = red
    bench.operator.decisions = [SKIP]
    await bench.walk(stage(check("A1")), stage(second, id="B"), **rest)
    assert bench.world.ran == ["A1"]
    (blocked,) = bench.of(ev.StepBlocked)
    assert said in blocked.unmet[0]
    assert bench.events[-1] == ev.RunFinished("failed", "stopped at B1")


async def test_a_stage_left_out_of_the_run_does_not_open_a_gate(bench: Bench) -> None:
    await bench.walk(stage(check("A1")), stage(check("B1", gate={"after": ["A"]}), id="B"), selected=("B",))
    assert bench.world.ran == []
    assert "not part of this run" in bench.of(ev.StepBlocked)[0].unmet[0]


async def test_a_two_person_gate_stays_shut(bench: Bench) -> None:
    await bench.walk(stage(action("A1", gate={"two_person": True})))
    assert bench.world.ran == []


@pytest.mark.parametrize("gate", [{"phrase": "WIPE {{ word }}"}, {"confirm": "Wipe {{ word }}?"}])
async def test_a_declined_gate_leaves_the_world_alone(bench: Bench, gate: dict[str, str]) -> None:
    bench.operator.agrees = False
    await bench.walk(stage(action("A1", word="disk", gate=gate)))
    assert bench.world.ran == []
    assert bench.of(ev.StepStarted) == []
    (finished,) = bench.of(ev.StepFinished)
    assert finished.outcome.symptom == "gate declined"
    asked = bench.operator.asked[0]
    assert "disk" in (asked.question if isinstance(asked, ConfirmRequest) else asked.phrase)


async def test_the_deadline_ends_a_check_and_puts_an_action_in_doubt(bench: Bench) -> None:
    async def forever(ctx: Context) -> None:
        await asyncio.Event().wait()

    bench.world.behaviour = {"A1": forever, "A2": forever}
    bench.operator.decisions = [SKIP, RETRY]
    await bench.walk(stage(check("A1", deadline=0.05), action("A2", deadline=0.05)))
    first, second = (event.outcome for event in bench.of(ev.StepFinished))
    assert (first.verdict, first.symptom) == (Verdict.ERRORED, "deadline")
    assert (second.verdict, second.symptom) == (Verdict.IN_DOUBT, "deadline")
    assert bench.world.ran.count("A2") == 1
    assert bench.of(ev.StepRetried) == [], "no reason was given"


async def test_the_deadline_stands_still_while_a_person_is_asked(bench: Bench) -> None:
    answered = asyncio.Event()

    async def ask(ctx: Context) -> None:
        assert await ctx.operator.confirm(ConfirmRequest("Sure?"))

    async def slow(request: ConfirmRequest) -> bool:
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, answered.set)
        await answered.wait()
        return True

    bench.world.behaviour["A1"] = ask
    bench.operator.confirm = slow  # type: ignore[method-assign]
    await bench.walk(stage(check("A1", deadline=0.1)))
    assert bench.events[-1] == ev.RunFinished("green")
    names = [event.type for event in bench.events]
    assert names.index("prompt.shown") < names.index("prompt.answered")


async def test_an_irreversible_action_is_not_tried_again_without_its_phrase(bench: Bench) -> None:
    bench.world.behaviour["A1"] = red
    bench.operator.decisions = [Decided(Decision.RETRY, "it was the wrong lamp")]
    bench.operator.phrases = False
    await bench.walk(stage(action("A1", irreversible=True)))
    assert bench.world.ran == ["A1"]
    assert bench.operator.asked[-1].phrase == "RUN A1 AGAIN"


async def test_a_defect_in_a_kind_shows_its_place_and_not_its_words(bench: Bench) -> None:
    def boom(ctx: Context) -> None:
        raise ZeroDivisionError("the PIN is plover-9")

    bench.world.behaviour["A1"] = boom
    await bench.walk(stage(check("A1")))
    (finished,) = bench.of(ev.StepFinished)
    assert "ZeroDivisionError at test_engine.py:" in finished.outcome.summary
    assert "plover-9" not in (bench.folder / "run" / "journal.jsonl").read_text()


async def test_a_kind_that_calls_exit_does_not_end_the_program(bench: Bench) -> None:
    def leave(ctx: Context) -> None:
        raise SystemExit(0)

    bench.world.behaviour["A1"] = leave
    await bench.walk(stage(check("A1")))
    (finished,) = bench.of(ev.StepFinished)
    assert "SystemExit at test_engine.py:" in finished.outcome.summary
    assert bench.events[-1] == ev.RunFinished("failed", "stopped at A1")


async def test_green_without_evidence_is_a_defect(bench: Bench) -> None:
    bench.world.behaviour["A1"] = lambda ctx: Outcome.passed("all well")
    await bench.walk(stage(check("A1")))
    assert bench.of(ev.StepFinished)[0].outcome.symptom == "defect"


async def test_a_typed_error_keeps_its_symptom_place_and_remedy(bench: Bench) -> None:
    def lost(ctx: Context) -> None:
        raise StepError("no token there", where="slot 0", remedy="Reseat it.", symptom="red")

    bench.world.behaviour["A1"] = lost
    await bench.walk(stage(check("A1")))
    outcome = bench.of(ev.StepFinished)[0].outcome
    assert (outcome.summary, outcome.symptom, outcome.remedy) == ("slot 0: no token there", "red", "Reseat it.")


async def test_stop_ends_the_step_at_hand_and_closes_what_is_open(bench: Bench) -> None:
    started = asyncio.Event()

    async def wait(ctx: Context) -> None:
        await ctx.use(Lamp)
        started.set()
        await asyncio.Event().wait()

    bench.world.behaviour["A1"] = wait
    walking = asyncio.create_task(bench.walk(stage(action("A1"), action("A2"))))
    await started.wait()
    assert bench.engine is not None
    bench.engine.stop("the line dropped")
    await walking
    assert bench.of(ev.StepFinished)[0].outcome.verdict is Verdict.IN_DOUBT
    assert bench.events[-1] == ev.RunFinished("stopped", "the line dropped")
    assert Lamp.ended == ["open", "stage", "close"]
    assert bench.world.ran == ["A1"]


async def test_a_resource_is_shared_told_of_the_stage_and_closed(bench: Bench) -> None:
    seen: list[int] = []

    async def use(ctx: Context) -> None:
        seen.append(id(await ctx.use(Lamp)))

    bench.world.behaviour = {"A1": use, "A2": use}
    await bench.walk(stage(check("A1"), check("A2")), stage(check("B1"), id="B"))
    assert len(set(seen)) == 1
    assert Lamp.ended == ["open", "stage", "stage", "close"]


async def test_inputs_are_asked_when_first_needed_and_only_once(bench: Bench) -> None:
    bench.operator.typed = ["seven"]
    await bench.walk(
        stage(check("A1"), check("A2", word="{{ number }}"), check("A3", word="x{{ number }}x")),
        inputs={"number": {"type": "string", "ask": "Which number?"}},
    )
    assert bench.world.words == ["ok", "seven", "xsevenx"]
    assert bench.of(ev.InputGiven) == [ev.InputGiven("number", "seven", "typed")]


async def test_an_unusable_value_is_asked_for_again_with_the_reason(bench: Bench) -> None:
    bench.operator.typed = ["seven", "7"]
    await bench.walk(
        stage(check("A1", word="{{ number }}")),
        inputs={"number": {"type": "integer", "ask": "Which number?", "minimum": 1}},
    )
    assert bench.world.words == ["7"]
    assert bench.operator.asked[1].help != bench.operator.asked[0].help


async def test_what_was_read_from_paper_is_read_again_when_the_step_is_tried_again(bench: Bench) -> None:
    bench.operator.typed = ["O000000", "0000000"]
    bench.operator.decisions = [RETRY]
    bench.world.behaviour["A1"] = once_red(bench.world.ran)
    await bench.walk(
        stage(check("A1", word="{{ serial }}")),
        inputs={"serial": {"type": "string", "ask": "Serial?", "source": "paper"}},
    )
    assert bench.world.words == ["O000000", "0000000"]
    assert [given.source for given in bench.of(ev.InputGiven)] == ["typed blind", "typed blind"]


async def test_a_cancelled_prompt_is_an_outcome_and_nothing_ran(bench: Bench) -> None:
    await bench.walk(
        stage(check("A1", word="{{ number }}")), inputs={"number": {"type": "string", "ask": "Which number?"}}
    )
    assert bench.world.ran == []
    assert bench.of(ev.StepFinished)[0].outcome.symptom == "cancelled"


async def test_without_a_record_nothing_acts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Journal.append

    async def full(self: Journal, event: Event) -> Event:
        if isinstance(event, ev.StepStarted):
            raise JournalError("the disk is full")
        return await append(self, event)

    monkeypatch.setattr(Journal, "append", full)
    with pytest.raises(JournalError):
        await bench.walk(stage(action("A1")))
    assert bench.world.ran == []


async def test_live_output_is_clean_redacted_and_not_journalled(bench: Bench) -> None:
    bench.world.behaviour["A1"] = lambda ctx: ctx.progress("\x1b[2Jgone")
    await bench.walk(stage(check("A1")))
    assert bench.of(ev.StepProgress) == [ev.StepProgress("A1", "␛[2Jgone")]
    assert "gone" not in (bench.folder / "run" / "journal.jsonl").read_text()


async def test_a_note_is_recorded_on_the_step_at_hand(bench: Bench) -> None:
    async def note(ctx: Context) -> Outcome:
        assert bench.engine is not None
        await bench.engine.note("the lamp flickers")
        return Outcome.passed("fine", Said(word="x"))

    bench.world.behaviour["A1"] = note
    await bench.walk(stage(check("A1")))
    assert bench.of(ev.NoteAdded) == [ev.NoteAdded("A1", "the lamp flickers")]


def test_importing_the_engine_loads_no_screen_and_no_device_library(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import runbook.run.engine, sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'runbook'" in loaded
    for foreign in ("textual", "rich", "checks", "screens", "pkcs11", "paramiko", "docker", "cryptography"):
        assert f"'{foreign}'" not in loaded


async def test_what_a_resource_notices_is_on_the_record_and_in_the_state(bench: Bench) -> None:
    async def notices(ctx: Context) -> None:
        lamp = await ctx.use(Lamp)
        assert lamp.record is not None
        await lamp.record(ev.TokenNoticed("intermediate", "swapped", "other [2]"))

    async def overrides(ctx: Context) -> None:
        await ctx.record(ev.GuardOverridden("A2", "final PIN try of token [1]", "the safe is closed"))

    bench.world.behaviour |= {"A1": notices, "A2": overrides}
    await bench.walk(stage(check("A1"), check("A2")))
    assert bench.engine is not None
    assert bench.engine.state.tokens == {"intermediate": "swapped"}
    assert bench.engine.state.deviations == ("A2 overrode the final PIN try of token [1]: the safe is closed",)
    written = (bench.folder / "run" / "journal.jsonl").read_text()
    assert '"token.noticed"' in written
    assert '"guard.overridden"' in written


async def test_what_a_lab_lacks_is_passed_over_and_told_and_only_in_a_rehearsal(bench: Bench) -> None:
    lacks = {"A1": "the lab has no USB device", "C": "the lab has no engine"}
    bench.site = {"rehearsal": {"token": "SoftHSM2", "sheet": "sheet.yaml", "lacks": lacks}}
    stages = [
        stage(check("A1", establishes=["seen"]), check("A2", requires=["seen"])),
        stage(action("B1"), id="B"),
        stage(action("C1"), check("C2", gate={"after": ["A", "B"]}), id="C"),
    ]
    await bench.walk(*stages, facts={"seen": "It was seen"})
    assert bench.world.ran == ["A2", "B1"]
    assert [(event.step, event.reason) for event in bench.of(ev.StepNotHere)] == [
        ("A1", "the lab has no USB device"),
        ("C1", "the lab has no engine"),
        ("C2", "the lab has no engine"),
    ]
    assert bench.engine is not None
    state = bench.engine.state
    assert (bench.events[-1], state.deviations) == (ev.RunFinished("green"), ())
    assert not state.step("A1").status.green
    assert fold(read_events(bench.folder / "run" / "journal.jsonl")).steps == state.steps
