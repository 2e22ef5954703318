"""Engine, gates and journal together, whatever a person, the clock and the power do: a hypothesis state machine.

A runbook is drawn; its run stands still at every question, at every piece of work and at every probe, and there it is
answered, killed, stopped, or the clock goes on. A killed driver leaves the journal as it was at any record before, or
torn in the middle of one; what was done since that record is then not done in this world.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from runbook.errors import PromptCancelled, UsageError
from runbook.gates.window import TimeWindow
from runbook.model import Role, Runbook
from runbook.operator import Attested, ConfirmRequest, Decided, Decision, SignsHere
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.record import state as states
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, WindowSet
from runbook.record.state import RunState, fold
from runbook.record.verify import verify
from runbook.run import doubts
from runbook.run.gatekeeper import Gatekeeper
from runbook.run.stepping import StepRun
from runbook.site import Site
from tests.engine.held import ENDS, PROBE, PROBING, WORK, Held, Told
from tests.engine.world import Said
from tests.people.keys import PRINCIPALS, Keys

ANSWERS = {
    "done": Outcome.passed("there", Said(word="there")),
    "not done": Outcome.failed("not there"),
    "partly": Outcome.warned("half", Said(word="half")),
    "cannot tell": Outcome.errored("nobody answers"),
}
"""What a probe may say, by `runbook.probing.Answer`."""

PROMPTS = ("confirm", "type_phrase", "point_of_no_return", "text", "transcribe", "witness", "choose", "attest")

moods = st.lists(st.sampled_from([*["by the book"] * 6, "again", "in doubt", "late", "skip"]), min_size=3, max_size=20)
"""How one question after another is answered: see `Run.go_on`."""

seldom = st.sampled_from([False, False, False, False, True])

steps = st.fixed_dictionaries(
    {
        **dict.fromkeys(("acts", "irreversible", "probe", "establishes", "requires"), st.booleans()),
        **dict.fromkeys(("after", "confirm", "phrase", "two_person", "new_stage", "typed"), seldom),
    }
)


@cache
def people() -> Keys:
    """Keys for all examples: making them takes longer than using them."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    keys = Keys(folder)
    for name, principal in PRINCIPALS.items():
        keys.make(name)
        keys.allow(principal, name)
    return keys


def runbook_of(drawn: list[dict[str, bool]], windows: list[bool]) -> Runbook:
    """A runbook of these steps; a fact is required from the step before that establishes one."""
    stages: list[dict[str, Any]] = []
    fact = ""
    for number, one in enumerate(drawn):
        if not stages or one["new_stage"]:
            name = "ABCDEF"[len(stages)]
            window = {"window": {"ask": "When?"}} if windows[len(stages)] else {}
            stages.append({"id": name, "title": name, "steps": [], **window})
        gate: dict[str, Any] = {"two_person": one["two_person"]}
        gate |= {"after": [f"S{number - 1}"]} if one["after"] and number else {}
        gate |= {"confirm": "Now?"} if one["confirm"] else {}
        gate |= {"phrase": f"GO S{number}"} if one["phrase"] else {}
        step = {"id": f"S{number}", "title": "T", "gate": gate, "requires": [fact] if one["requires"] and fact else []}
        step |= {"action": "do", "irreversible": one["irreversible"]} if one["acts"] else {"check": "do"}
        step |= {"probe": {"check": "do", "word": PROBE}} if one["acts"] and one["probe"] else {}
        step |= {"word": "{{ serial }}"} if one["typed"] else {}
        if one["establishes"]:
            fact = f"f{number}"
            step["establishes"] = [fact]
        stages[-1]["steps"].append(step)
    inputs = {"serial": {"type": "string", "ask": "Serial?", "source": "paper"}}
    facts = {f"f{number}": f"fact {number}" for number in range(len(drawn))}
    return Runbook.model_validate(
        {"runbook": 1, "id": "t", "title": "T", "inputs": inputs, "facts": facts, "stages": stages}
    )


class Run(RuleBasedStateMachine):
    """One run, over as many drivers as it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.held: Held
        self.over = False
        """The run has ended for good."""
        self.faults: list[str] = []
        self.said: list[tuple[int, str, str]] = []
        """What the person said yes to, and how many records there were: a kill takes back what came later."""
        self.worked: list[tuple[int, str]] = []
        """Whose work began, likewise."""
        self.torn = 0
        self.kept: RunState | None = None
        """What the record said when its driver was killed."""

    @initialize(drawn=st.lists(steps, min_size=2, max_size=5), windows=st.lists(st.booleans(), min_size=6, max_size=6))
    def begin(self, drawn: list[dict[str, bool]], windows: list[bool]) -> None:
        runbook = runbook_of(drawn, windows)
        two = people().two_people().model_dump() if any(one["two_person"] for one in drawn) else None
        self.held = Held(self.folder, runbook, Site.model_validate({"site": 1, "name": "s", "two_people": two}))
        self.held.on_work = self.work_begins
        self.held.begin()

    # What the person does.

    @precondition(lambda self: self.alive)
    @rule(how=moods)
    def walk(self, how: list[str]) -> None:
        for mood in how:
            if self.alive and not self.faults:
                self.go_on(mood)

    def go_on(self, mood: str = "by the book") -> None:
        """Say yes, do what is next, and do it well; where the mood is another, not quite.

        `again`: what may be done is run once more; `in doubt`: nobody knows whether the work was done; `late`: it takes
        an hour until there is an answer; `skip`: what can be left out is.
        """
        assert self.held.question is not None
        if mood == "late":
            self.pass_time(60)
        name = self.held.question.name
        if name in PROMPTS:
            self.agree()
        elif name == PROBING:
            # What was begun here and not taken back was done.
            done = any(step == self.step_at_hand for _, step in self.worked)
            self.held.answer(ANSWERS["done" if done else "not done"])
        elif name == WORK:
            self.held.answer(ENDS["doubt" if mood == "in doubt" else "green"])
        else:
            wanted = [Decision.RUN, Decision.WINDOW, Decision.DONE, Decision.RETRY, Decision.SKIP]
            first = {"again": [Decision.RETRY], "skip": [Decision.SKIP]}.get(mood, [])
            self.decide(next(decision for decision in [*first, *wanted] if decision in self.moment.allowed))

    @precondition(lambda self: self.asks("decide"))
    @rule(data=st.data(), reason=st.sampled_from(["because", ""]))
    def decide_otherwise(self, data: st.DataObject, reason: str) -> None:
        self.decide(data.draw(st.sampled_from(self.moment.allowed)), reason)

    def decide(self, decision: Decision, reason: str = "because") -> None:
        if Decision.DONE in self.moment.allowed:
            self.say(f"{decision} in doubt", self.moment.step_id)
        self.held.answer(Decided(decision, reason or ("because" if decision is Decision.SKIP else "")))

    @precondition(lambda self: self.asks("confirm", "type_phrase", "point_of_no_return", "attest"))
    @rule()
    def say_no(self) -> None:
        assert self.held.question is not None
        if self.held.question.name == "attest":
            self.held.answer(Attested(tuple(False for _ in self.held.question.asked.statements)))
        else:
            self.held.answer(False)

    @precondition(lambda self: self.asks(*PROMPTS))
    @rule()
    def leave_the_prompt(self) -> None:
        self.held.answer(PromptCancelled("left"))

    @precondition(lambda self: self.asks("text"))
    @rule(opens=st.integers(-60, 120), minutes=st.integers(-10, 120))
    def give_another_window(self, opens: int, minutes: int) -> None:
        """Also one that cannot be used; as the answer to a question for a reason it is as good as any."""
        self.held.answer(self.window(opens, opens + minutes))

    @precondition(lambda self: self.asks("witness"))
    @rule(who=st.sampled_from(["anna", "carl", "nobody"]))
    def somebody_else_signs(self, who: str) -> None:
        """Whoever signs with a key that is not Ben's approves nothing."""
        self.held.answer(SignsHere("ben", str(people().folder / who)))

    # What the work and the probes do.

    @precondition(lambda self: self.asks(WORK))
    @rule(end=st.sampled_from([*["green"] * 4, *ENDS]), overrides=st.booleans())
    def end_work(self, end: str, overrides: bool) -> None:
        assert self.held.question is not None
        if overrides:
            context = self.held.question.asked
            self.held.runner.run(context.record(ev.GuardOverridden(context.step_id, "guard", "because")))
        self.held.answer(ENDS[end])

    @precondition(lambda self: self.asks(PROBING))
    @rule(answer=st.sampled_from([*ANSWERS]))
    def answer_probe(self, answer: str) -> None:
        self.held.answer(ANSWERS[answer])

    # What the world does.

    @precondition(lambda self: self.alive)
    @rule(minutes=st.sampled_from([0, 1, 30, 60, 90, 400]), line_drops=seldom)
    def something_happens(self, minutes: int, line_drops: bool) -> None:
        if minutes:
            self.pass_time(minutes)
        elif line_drops:
            self.held.stop("the line dropped")
        else:
            self.held.note("seen")

    @precondition(lambda self: self.alive or self.over)
    @rule(after=moods, back=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 6, 9]), torn=st.sampled_from([0, 1, 40]))
    def kill(self, after: list[str], back: int, torn: int) -> None:
        """After so many questions, or at any record up to there: what came after it never was."""
        self.walk(after)
        records = max(1, self.held.records - back)
        if fold(self.held.events[:records]).finished:
            torn = 0  # nothing is ever written behind that
        self.torn, self.over = self.held.kill(records, torn), False
        self.said = [one for one in self.said if one[0] <= records]
        self.worked = [one for one in self.worked if one[0] <= records]
        self.kept = fold(self.held.events)

    @precondition(lambda self: hasattr(self, "held") and not self.alive and not self.over)
    @rule(and_then=moods)
    def resume(self, and_then: Sequence[str] = ()) -> None:
        before = self.kept or fold(self.held.events)
        if before.finished and self.all_over(before):
            self.over = True  # `runbook resume` refuses it
            return
        try:
            resumed = self.held.resume()
        except UsageError as refused:
            raise AssertionError("it could not go on") from refused
        assert resumed.cut == self.torn
        after = fold(self.held.events)
        for step, state in before.steps.items():
            assert not state.over or after.step(step).status is state.status, f"{step} was over and is not any more"
            assert after.step(step).attempt >= state.attempt
        assert [e.cut for e in self.held.events if isinstance(e, ev.RunResumed)][-1] == self.torn
        assert before.facts.items() <= after.facts.items()
        assert before.deviations == after.deviations[: len(before.deviations)]
        self.torn, self.kept = 0, None
        assert not verify(self.held.journal).problems
        self.walk(list(and_then))

    # What must hold.

    def work_begins(self, step_id: str) -> None:
        """Whether it may: judged by the journal, and by what the person said. A kind's exceptions would be caught."""
        told = Told(self.held.runbook, self.held.events)
        place = told.last(step_id, ev.StepStarted)
        self.faults += [f"{step_id}: {fault}" for fault in self.objections(told, step_id, place)]
        self.worked.append((self.held.records, step_id))

    def objections(self, told: Told, step_id: str, place: int) -> list[str]:
        if place != len(told.events) - 1:
            return ["it began before that was on record"]
        runbook = self.held.runbook
        step, stage = runbook.step(step_id), runbook.stage_of(step_id)
        before = told.last(step_id, ev.StepStarted, before=place)
        attempt = max(told.last(step_id, ev.StepStarted, ev.StepFinished, before=place), told.last_resumed())
        faults = []
        if told.green(step_id) or told.skipped(step_id):
            faults.append("it was over")
        if not set(step.requires) <= told.facts:
            faults.append("a fact was missing")
        if not all(told.green(name) for name in step.gate.after):
            faults.append("a step before it was not green")
        windows = [e for e in told.events if isinstance(e, WindowSet) and e.stage == stage.id]
        if stage.window and not (
            windows and TimeWindow.of((windows[-1].opens, windows[-1].closes)).is_open(self.held.clock.now())
        ):
            faults.append("its window was shut")
        asked = [word for word, text in (("confirm", step.gate.confirm), ("phrase", step.gate.phrase)) if text]
        wanted = ["point_of_no_return"] if step.irreversible else asked
        faults += [f"nobody said yes to its {name}" for name in wanted if not self.was_said(name, step_id, attempt)]
        if step.gate.two_person and not self.was_approved(told, step_id, attempt, place):
            faults.append("no second person approved it")
        if before >= 0 and step.role is Role.ACTION:
            faults += self.unasked(told, step_id, before, place)
        return faults

    def unasked(self, told: Told, step_id: str, before: int, place: int) -> list[str]:
        """What is missing for an action to be run again."""
        faults = []
        if not any(isinstance(e, ev.StepRetried) and e.step == step_id for e in told.events[before:place]):
            faults.append("that it is run again is not on record")
        if told.doubtful(step_id, place):
            since = max(before, told.last_resumed())
            if not self.was_said("retry in doubt", step_id, since):
                faults.append("nobody chose to run again what may be done")
            probes = [e for e in told.events[since:place] if isinstance(e, ev.StepProbed) and e.step == step_id]
            if self.held.runbook.step(step_id).probe and not probes:
                faults.append("its probe was not asked")
            sure = bool(probes) and probes[0].answer == "not done"
            if not sure and not self.was_said("again", step_id, since):
                faults.append("no phrase was typed, and it may be done")
        return faults

    def was_said(self, what: str, step: str, since: int) -> bool:
        """Whether the person said yes to it after the record of that place."""
        return any(one[1:] == (what, step) and one[0] > since for one in self.said)

    def was_approved(self, told: Told, step: str, since: int, place: int) -> bool:
        asked = told.last(step, ApprovalAsked)
        given = told.last(step, ApprovalGiven)
        started, question = told.events[place], told.events[asked]
        return (
            since < asked < given
            and isinstance(started, ev.StepStarted)
            and isinstance(question, ApprovalAsked)
            and question.params == started.params
        )

    @invariant()
    def nothing_happened_that_must_not(self) -> None:
        assert not self.faults

    @precondition(lambda self: hasattr(self, "held") and self.held.journal.exists() and not self.torn)
    @invariant()
    def the_record_tells_all(self) -> None:
        events = self.held.events
        state = fold(events)
        told = Told(self.held.runbook, events)
        if self.alive:
            assert self.held.engine is not None
            assert state == self.held.engine.state
        for event in events:
            if isinstance(event, ev.FactEstablished):
                assert told.green(event.step)
                assert event.fact in self.held.runbook.step(event.step).establishes
        assert len([e for e in events if isinstance(e, ev.FactEstablished)]) == len(told.facts)
        for _, step in self.held.runbook.steps():
            starts = [e.attempt for e in events if isinstance(e, ev.StepStarted) and e.step == step.id]
            assert starts == sorted(set(starts)), "an attempt began twice"
            worked = [name for _, name in self.worked].count(step.id)
            assert worked <= len(starts), "work was done that is not on record"
            settled = told.last(step.id, ev.StepSettled) >= 0
            assert not told.green(step.id) or worked or settled, "it is green, and nothing was done"
            assert state.step(step.id).status.green == told.green(step.id)
            if told.green(step.id) and self.alive and self.held.question and state.at != step.id:
                assert set(step.establishes) <= set(state.facts)
        if self.asks("transcribe"):
            since = max((n for n, e in enumerate(events) if isinstance(e, ev.StepRetried)), default=0)
            assert not any(isinstance(e, ev.InputGiven) for e in events[since:]), "it was typed before"
        deviations = (ev.StepRetried, ev.StepSkipped, ev.StepSettled, ev.GuardOverridden)
        changed = [e for e in events if isinstance(e, WindowSet) and e.reason]
        assert len(state.deviations) == len([e for e in events if isinstance(e, deviations)]) + len(changed)
        if state.finished == "green":
            assert all(told.green(step.id) for _, step in self.held.runbook.steps())

    def teardown(self) -> None:
        """However it stands, a person who says yes to everything brings it to its end."""
        if not hasattr(self, "held"):
            return
        try:
            if not self.faults:
                self.bring_to_its_end()
        finally:
            self.held.close()
            shutil.rmtree(self.folder)

    def bring_to_its_end(self) -> None:
        if not self.alive:
            self.resume()
        for _ in range(150):
            if not self.alive:
                break
            self.go_on()
        assert not self.faults
        assert not self.alive, "it never ends"
        state = fold(self.held.events)
        assert self.all_over(state), "a step was lost"
        assert not verify(self.held.journal).problems

    # Words.

    def all_over(self, state: RunState) -> bool:
        return all(state.step(step.id).over for _, step in self.held.runbook.steps())

    def pass_time(self, minutes: int) -> None:
        self.held.set_clock((self.held.clock.now() + timedelta(minutes=minutes)).isoformat())

    @property
    def alive(self) -> bool:
        return hasattr(self, "held") and self.held.alive

    def asks(self, *names: str) -> bool:
        return self.alive and self.held.question is not None and self.held.question.name in names

    @property
    def moment(self) -> Any:
        assert self.held.question is not None
        return self.held.question.asked

    def say(self, what: str, step: str) -> None:
        self.said.append((self.held.records, what, step))

    def window(self, opens: int, closes: int) -> str:
        now = self.held.clock.now().replace(second=0)
        return f"{now + timedelta(minutes=opens):%Y-%m-%d %H:%M} to {now + timedelta(minutes=closes):%Y-%m-%d %H:%M}"

    def agree(self) -> None:
        """Say yes, type what is wanted, sign with the right key."""
        assert self.held.question is not None
        name, asked = self.held.question.name, self.held.question.asked
        step = self.step_at_hand
        if name == "type_phrase":
            self.say("again" if asked.phrase.endswith(" AGAIN") else "phrase", step)
        elif name in ("confirm", "point_of_no_return"):
            self.say(name, step)
        answers = {
            "confirm": True,
            "type_phrase": True,
            "point_of_no_return": True,
            "text": self.window(0, 300),
            "transcribe": "D2",
            "witness": SignsHere("ben", str(people().folder / "ben")),
            "choose": "anna",
        }
        self.held.answer(Attested(tuple(True for _ in asked.statements)) if name == "attest" else answers[name])

    @property
    def step_at_hand(self) -> str:
        assert self.held.engine is not None
        return self.held.engine.state.at


Run.TestCase.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


class TestRun(Run.TestCase):  # type: ignore[name-defined,misc]  # hypothesis makes the class
    """Whatever happens, in any order."""


PLAIN = dict.fromkeys(
    ("acts", "irreversible", "probe", "establishes", "requires", "after", "confirm", "phrase", "two_person"), False
) | {"new_stage": False, "typed": False}
ACTS = {**PLAIN, "acts": True, "probe": True}


def no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that died leaves nothing in doubt."""
    left = states._left
    monkeypatch.setattr(states, "_left", lambda step: replace(left(step), in_doubt=False))


def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What held when the question was put holds for good."""

    async def answered(self: Gatekeeper, *_: object) -> None:
        await self._engine.operator.confirm(ConfirmRequest("Now?"))

    monkeypatch.setattr(Gatekeeper, "open", answered)


def no_phrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """To run again what may be done takes no phrase."""

    async def sure(*_: object) -> bool:
        return True

    monkeypatch.setattr(doubts, "_sure", sure)


def no_first_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work begins before that is on record."""

    async def attempt(self: StepRun) -> Outcome:
        kind, _ = await self._kind()
        return await self._run(kind)

    monkeypatch.setattr(StepRun, "_attempt", attempt)


@pytest.mark.parametrize(
    ("broken", "step", "minutes"),
    [
        (no_doubt, ACTS, 0),
        (no_second_look, {**PLAIN, "confirm": True}, 400),
        (no_phrase, {**ACTS, "probe": False}, 0),
        (no_first_record, PLAIN, 0),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_the_machine_notices_an_engine_that_is_broken(
    monkeypatch: pytest.MonkeyPatch,
    whole: bool,
    broken: Callable[[pytest.MonkeyPatch], None],
    step: dict[str, bool],
    minutes: int,
) -> None:
    """One way through the machine that shows it; unbroken, nothing is to be noticed there."""
    if not whole:
        broken(monkeypatch)
    run = Run()
    run.begin([step, PLAIN], [bool(minutes)] * 6)
    try:
        while not run.asks(WORK, "confirm"):
            run.go_on()
        run.pass_time(minutes)
        run.go_on("in doubt")
        if run.alive and step["acts"]:
            run.kill([], 0, 0)
            run.resume(["again"] * 6)
        if whole:
            run.the_record_tells_all()
        assert bool(run.faults) is not whole
    finally:
        run.faults = run.faults or ["seen"]  # enough was seen: there is no need to bring it to its end
        run.teardown()
