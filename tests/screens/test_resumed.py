"""A run that goes on: what was, what is in doubt, and what the operator decides about it."""

from __future__ import annotations

import asyncio

import pytest

from runbook.operator import Decided, Decision, Moment
from runbook.outcome import Outcome
from runbook.probing import Answer
from runbook.record import events as ev
from screens.words import ANSWERS
from tests.screens.conftest import Drive, StoppedClock
from tests.screens.gate_samples import LEFT, STOPPED, doubt
from tests.screens.samples import RUNBOOK
from tests.screens.scripted import RUN_ID, SAID, ScriptedWalk

AT = {"A1.slots": doubt(Answer.NOT_DONE)}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_where_it_was_left_is_said_until_it_has_gone_on(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(size, history=LEFT, moments=AT) as d:
        shown = " ".join(d.screen.split())
        assert "resumed: it was left at A1.slots, on 2026-04-29 at 08:52:31 UTC" in shown
        assert "? in doubt: A1.slots" in shown
        assert "RESUMED" in d.screen.splitlines()[0]
        assert "2 of 5 green" in d.screen, "what was done counts"
        await d.press("s", "text:done by hand", "enter")
        assert "it was left at" not in d.screen
        assert "RESUMED" in d.screen.splitlines()[0]


async def test_a_run_that_was_stopped_says_how_and_goes_on(drive: Drive) -> None:
    async with drive(history=STOPPED, moments=AT) as d:
        assert "it was left at A1.slots, stopped at A1.slots" in " ".join(d.screen.split())
        assert "The run is over" not in d.screen
        await d.press("q", "right", "enter")
        assert d.app.run_screen.state.finished == "stopped"


async def test_a_new_run_says_nothing_of_the_kind(drive: Drive) -> None:
    async with drive() as d:
        assert "resumed" not in d.screen.lower()


@pytest.mark.parametrize("answer", list(Answer))
async def test_the_answer_of_the_probe_is_on_the_page_with_its_evidence(drive: Drive, answer: Answer) -> None:
    async with drive((120, 40), history=LEFT, moments={"A1.slots": doubt(answer)}) as d:
        assert f"is it done already? {ANSWERS[answer].sign} {answer.value}" in d.screen
        assert "the volume holds 41 files" in d.screen
        assert "docker volume inspect ccat-ca_step-ca-data" in " ".join(d.screen.split())
        assert "A1.slots is in doubt" in d.screen.splitlines()[-3]
        for key in ("take as done", "try again", "skip", "quit"):
            assert key in d.screen.splitlines()[-1]


async def test_without_a_probe_it_is_said(drive: Drive) -> None:
    async with drive(history=LEFT, moments={"A1.slots": doubt(None)}) as d:
        assert "it has no probe: only you can say" in d.screen


@pytest.mark.parametrize(
    ("key", "decision"), [("d", Decision.DONE), ("t", Decision.RETRY), ("s", Decision.SKIP), ("D", Decision.DONE)]
)
async def test_each_decision_in_doubt_needs_a_reason(drive: Drive, key: str, decision: Decision) -> None:
    async with drive(history=LEFT, moments=AT) as d:
        await d.press(key, "enter")
        assert d.walk.decided == [], "none without a reason"
        assert "Something must be written" in d.screen
        await d.press("text:seen with my own eyes", "enter")
        assert d.walk.decided[0] == Decided(decision, "seen with my own eyes")


@pytest.mark.parametrize("key", ["d", "t", "s"])
async def test_leaving_the_reason_decides_nothing(drive: Drive, key: str) -> None:
    async with drive(history=LEFT, moments=AT) as d:
        await d.press(key, "text:hm", "escape")
        assert d.walk.decided == []
        assert d.app.run_screen.moment is not None


@pytest.mark.parametrize("key", ["r", "enter", "c", "w"])
async def test_no_other_key_runs_a_step_in_doubt(drive: Drive, key: str) -> None:
    async with drive(history=LEFT, moments=AT) as d:
        await d.press(key)
        assert d.walk.decided == []
        assert d.app.screen is d.app.run_screen


async def test_a_reason_for_a_question_that_is_gone_decides_nothing(drive: Drive) -> None:
    async with drive(history=LEFT, moments=AT) as d:
        await d.press("d", "text:it is")
        d.app.run_screen.moment = Moment("B1.paper", "another step")
        await d.press("enter")
        assert d.walk.decided == []


async def test_what_is_taken_as_done_counts_and_is_a_deviation(drive: Drive) -> None:
    async with drive(history=LEFT, moments=AT) as d:
        await d.press("d", "text:the volume is new", "enter")
        assert d.app.run_screen.state.step("A1.slots").status.green
        assert d.app.run_screen.state.deviations == ("A1.slots is taken as done: the volume is new",)


async def test_a_run_that_continues_stops_where_a_probe_says_done(drive: Drive) -> None:
    seems_done = Moment(
        "A1.slots",
        RUNBOOK.step("A1.slots").title,
        probed=doubt(Answer.DONE).probed,
        allowed=(Decision.DONE, Decision.RUN, Decision.SKIP, Decision.STOP),
    )
    async with drive(moments={"A1.slots": seems_done}) as d:
        await d.press("c")
        assert d.app.run_screen.moment is seems_done
        assert "A1.slots seems to be done already" in d.screen
        assert not d.app.run_screen.continuing


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("run_id", [RUN_ID, f"20260429-091000-{'long-' * 8}7f3a"])
async def test_nothing_of_the_header_is_cut(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], run_id: str
) -> None:
    monkeypatch.setattr("tests.screens.scripted.RUN_ID", run_id)
    async with drive(size, rehearsal=True, history=LEFT, moments=AT) as d:
        header = " ".join(" ".join(d.screen.splitlines()[:5]).split())
        for part in (
            "REHEARSAL",
            "RESUMED",
            run_id,
            d.walk.head,
            "09:10 UTC",
            "Rehearsal on SoftHSM2, which has no PIN counter",
        ):
            assert part in header, part


async def test_the_clock_goes_on(drive: Drive, wall_clock: StoppedClock) -> None:
    async with drive() as d:
        wall_clock.go_on(60)
        await d.until("09:11 UTC")


class TestWindow:
    """A step whose stage has a window that is not open."""

    SHUT = Moment(
        "P.people",
        "People",
        ("the window of stage P opens at 10:00",),
        opens="2026-04-29T09:24:30Z",
        allowed=(Decision.WINDOW, Decision.SKIP, Decision.STOP),
    )

    async def test_it_is_counted_down(self, drive: Drive, wall_clock: StoppedClock) -> None:
        async with drive(moments={"P.people": self.SHUT}) as d:
            assert "the window opens in 14:30" in d.screen
            wall_clock.go_on(30)
            await d.until("in 14:00")
            wall_clock.go_on(900)
            await d.until("the window opens now")

    async def test_a_key_gives_the_window(self, drive: Drive) -> None:
        async with drive(moments={"P.people": self.SHUT}) as d:
            await d.press("w")
            assert d.walk.decided == [Decided(Decision.WINDOW)]

    async def test_a_change_needs_a_reason(self, drive: Drive) -> None:
        async with drive(moments={"P.people": self.SHUT}) as d:
            d.walk.say(ev.WindowSet("P", "2026-04-29T09:24:30Z", "2026-04-29T10:24:30Z"))
            await d.settle()
            await d.press("w", "enter")
            assert d.walk.decided == []
            await d.press("text:agreed with operations", "enter")
            assert d.walk.decided == [Decided(Decision.WINDOW, "agreed with operations")]

    async def test_the_question_is_put_anew_once_the_window_opens(self, drive: Drive) -> None:
        async def play(walk: ScriptedWalk, step: str) -> Outcome:
            asking = asyncio.create_task(walk.operator.decide(self.SHUT))
            await opened.wait()
            asking.cancel()
            await asyncio.wait([asking])
            walk.answers.append(await walk.operator.decide(Moment(step, "it is open")))
            return Outcome.passed("done", SAID)

        async with drive(P_people=play) as d:
            opened = asyncio.Event()
            await d.press("r")
            assert "the window opens in" in d.screen
            await d.press("s", "text:no time")
            opened.set()
            await d.press("escape")
            assert "the window opens" not in d.screen
            assert "your turn" in d.screen
            await d.press("r")
            assert d.walk.answers == [Decided(Decision.RUN)]
