"""Time windows: how they are read, and that no step starts outside its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.gates.window import LONGEST, BadWindow, TimeWindow, parse, span
from runbook.operator import Decided, Decision, Moment, PhraseRequest, TextRequest
from runbook.record import events as ev
from runbook.record.gate_events import WindowSet
from runbook.record.journal import read_events
from runbook.record.state import fold
from tests.engine.world import Bench, check, stage

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 19, 50, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        ("22:00-23:30", "2026-11-21T22:00:00+01:00", "2026-11-21T23:30:00+01:00"),
        (" 22:00 – 1:00 ", "2026-11-21T22:00:00+01:00", "2026-11-22T01:00:00+01:00"),
        ("18:00-20:00", "2026-11-21T18:00:00+01:00", "2026-11-21T20:00:00+01:00"),
        ("20:00-19:55", "2026-11-20T20:00:00+01:00", "2026-11-21T19:55:00+01:00"),
        ("22:00-24:00", "2026-11-21T22:00:00+01:00", "2026-11-22T00:00:00+01:00"),
        ("2026-11-21 22:00 to 2026-11-22 01:00", "2026-11-21T22:00:00+01:00", "2026-11-22T01:00:00+01:00"),
        ("2026-11-30 22:00 until 01:00", "2026-11-30T22:00:00+01:00", "2026-12-01T01:00:00+01:00"),
        ("2026-11-21T22:00:00+01:00/2026-11-22T01:00:00Z", "2026-11-21T22:00:00+01:00", "2026-11-22T01:00:00+00:00"),
        ("2026-11-21 23:00+01:00 to 22:30Z", "2026-11-21T23:00:00+01:00", "2026-11-21T22:30:00+00:00"),
        # Over the end of summer time the offset changes; an hour that comes twice needs one.
        ("2027-10-30 22:00 to 2027-10-31 06:00", "2027-10-30T22:00:00+02:00", "2027-10-31T06:00:00+01:00"),
        ("2027-10-31T02:30+02:00 to 2027-10-31T02:15+01:00", "2027-10-31T02:30:00+02:00", "2027-10-31T02:15:00+01:00"),
    ],
)
def test_what_a_person_writes(text: str, opens: str, closes: str) -> None:
    assert parse(text, NOW, BERLIN).recorded == (opens, closes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tonight", "this is no time window"),
        ("", "this is no time window"),
        ("22:00", "this is no time window"),
        ("٢٢:٠٠-٢٣:٠٠", "this is no time window"),
        ("25:00-26:00", "there is no time `25:00`"),
        ("22:60-23:00", "there is no time `22:60`"),
        ("24:01-24:30", "there is no time `24:01`"),
        ("2026-02-30 22:00 to 23:00", "there is no day `2026-02-30`"),
        ("22:00-22:00", "it would close before it opens, or at once"),
        ("2026-11-23 22:00 to 2026-11-22 23:00", "it would close before it opens"),
        ("2026-11-21 22:00 to 2027-11-22 01:00", f"it would be open for more than {LONGEST.days} days"),
        ("18:00-19:00", "this window closed 50 min ago"),
        ("2026-11-21 22:00+25:00 to 23:00", "there is no offset `+25:00`"),
        ("9999-12-31 23:00 to 01:00", "no calendar reaches that far"),
        ("2027-03-28 02:30 to 04:00", "02:30 does not exist on 2027-03-28"),
        ("2027-10-31 02:30 to 04:00", "02:30 comes twice on 2027-10-31"),
    ],
)
def test_what_is_no_window_is_told_with_an_example(text: str, said: str) -> None:
    with pytest.raises(BadWindow) as refused:
        parse(text, NOW, BERLIN)
    assert said in str(refused.value)
    examples = [part for part in str(refused.value).split("`")[1::2] if "to" in part and "…" not in part]
    for example in examples:
        assert not parse(example, NOW, BERLIN).is_open(NOW), "the example itself can be used"
    assert examples or "write it with its offset, like" in str(refused.value) or "like `+01:00`" in str(refused.value)


def read(text: str, now: datetime, zone: ZoneInfo) -> TimeWindow | str:
    """The window, or why it is none."""
    try:
        return parse(text, now, zone)
    except BadWindow as bad:
        return str(bad)


zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
moments = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


@given(zones.map(ZoneInfo), moments, st.integers(1, 72 * 60), st.integers(-48 * 60, 48 * 60))
def test_what_is_written_in_full_is_what_is_meant(zone: ZoneInfo, start: datetime, length: int, lead: int) -> None:
    opens = start.replace(second=0, tzinfo=UTC).astimezone(zone)
    closes = (opens.astimezone(UTC) + timedelta(minutes=length)).astimezone(zone)
    now = (opens.astimezone(UTC) - timedelta(minutes=lead)).astimezone(zone)
    text = f"{opens:%Y-%m-%d %H:%M} to {closes:%Y-%m-%d %H:%M}"
    exact = f"{opens.isoformat('T', 'minutes')} to {closes.isoformat('T', 'minutes')}"
    over = now.astimezone(UTC) >= closes.astimezone(UTC)
    for written in (text, exact):
        window = read(written, now, zone)
        if isinstance(window, str):
            assert over or (written == text and "comes twice" in window), window
            continue
        assert not over
        assert window.opens == opens.astimezone(UTC)
        assert window.closes == closes.astimezone(UTC)
        assert TimeWindow.of(window.recorded) == window, "the record holds it exactly"


@given(zones.map(ZoneInfo), moments, st.integers(0, 23 * 60 + 59), st.integers(0, 23 * 60 + 59))
def test_two_times_are_today_or_the_window_that_is_open(zone: ZoneInfo, at: datetime, start: int, end: int) -> None:
    now = at.replace(tzinfo=UTC).astimezone(zone)
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    window = read(text, now, zone)
    if isinstance(window, str):
        assert any(why in window for why in ("or at once", "ago", "comes twice", "does not exist"))
        return
    assert window.opens < window.closes
    assert window.closes > now.astimezone(UTC)
    assert window.closes - window.opens <= timedelta(hours=25), "the day that summer time ends has 25"
    here = window.opens.astimezone(zone)
    assert (here.hour, here.minute) == divmod(start, 60)
    assert window.is_open(now) or here.date() == now.date()


@given(st.text(max_size=60))
def test_no_text_does_anything_but_make_a_window_or_a_refusal(text: str) -> None:
    window = read(text, NOW, BERLIN)
    assert window if isinstance(window, str) else window.closes > NOW


@given(zones.map(ZoneInfo), moments, st.integers(1, 10**6), st.integers(-(10**6), 2 * 10**6))
def test_inside_and_outside_are_counted_in_real_seconds(
    zone: ZoneInfo, start: datetime, length: int, after: int
) -> None:
    """An hour that is left out or comes twice is neither counted nor missed."""
    opens = start.replace(tzinfo=UTC)
    closes = opens + timedelta(seconds=length)
    local = [moment.astimezone(zone) for moment in (opens, closes)]
    window = TimeWindow.of((local[0].isoformat(), local[1].isoformat()))
    now = (opens + timedelta(seconds=after)).astimezone(zone)
    assert window.is_open(now) == (0 <= after < length)
    change = window.next_change(now)
    if after >= length:
        assert change is None
        assert window.said(now).startswith("closed ")
    else:
        assert change == (opens if after < 0 else closes)
        assert window.said(now).startswith("opens at " if after < 0 else "is open until ")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7799, "2 h 9 min"), (7200, "2 h"), (180_000, "2 d 2 h"), (-5, "0 s")],
)
def test_how_long_it_is(seconds: int, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


G = {"id": "G", "title": "Cutover", "window": {"ask": "Downtime window"}}


def windowed(*steps: str) -> dict[str, object]:
    return {**G, "steps": [check(step) for step in steps]}


def said_of_window(bench: Bench) -> list[str]:
    return [line for event in bench.of(ev.StepBlocked) for line in event.unmet]


async def test_a_stage_is_asked_for_its_window_once_and_it_is_on_record_with_its_offset(bench: Bench) -> None:
    bench.operator.typed = ["19:00-23:30"]
    await bench.walk(stage(check("A1")), windowed("G1", "G2"))
    assert bench.of(WindowSet) == [WindowSet("G", "2026-11-21T19:00:00+01:00", "2026-11-21T23:30:00+01:00")]
    (asked,) = bench.operator.asked
    assert asked.question == "Downtime window (stage G)"
    assert "`2026-11-22 22:00 to 2026-11-23 01:00`" in asked.help
    assert bench.world.ran == ["A1", "G1", "G2"]
    names = [event.type for event in bench.events]
    assert names.index("stage.started") < names.index("window.set"), "not before the stage begins"
    assert bench.events.index(bench.of(WindowSet)[0]) > bench.events.index(bench.of(ev.StageStarted)[1])


async def test_nonsense_is_asked_again_with_the_reason(bench: Bench) -> None:
    bench.operator.typed = ["tonight", "18:00-19:00", "19:00-23:00"]
    await bench.walk(windowed("G1"))
    helps = [request.help for request in bench.operator.asked]
    assert helps[1].startswith("This is no time window; write it like `22:00-23:30`")
    assert helps[2].startswith("This window closed 50 min ago")
    assert bench.world.ran == ["G1"]


async def test_before_it_opens_nothing_starts_and_the_run_goes_on_by_itself_when_it_does(bench: Bench) -> None:
    bench.operator.typed = ["22:00-23:30"]
    shown: list[Moment] = []

    async def decide(moment: Moment) -> Decided:
        shown.append(moment)
        if not moment.unmet:
            return Decided(Decision.RUN)
        asyncio.get_running_loop().call_soon(bench.clock.set, "2026-11-21T22:00+01:00")
        await asyncio.Event().wait()  # nobody answers
        raise AssertionError

    bench.operator.decide = decide  # type: ignore[method-assign]
    await bench.walk(windowed("G1"))
    assert shown[0].unmet == ("the window of stage G opens at 2026-11-21 22:00 +01:00 (in 2 h 10 min)",)
    assert shown[0].opens == "2026-11-21T22:00:00+01:00"
    assert Decision.RUN not in shown[0].allowed
    assert shown[1].unmet == ()
    assert bench.world.ran == ["G1"]
    assert bench.events[-1] == ev.RunFinished("green")


async def test_a_window_that_closes_while_a_step_runs_does_not_cut_it_and_the_next_does_not_start(
    bench: Bench,
) -> None:
    bench.operator.typed = ["19:00-20:00"]
    bench.world.behaviour["G1"] = lambda _: bench.clock.set("2026-11-21T20:12+01:00")
    await bench.walk(windowed("G1", "G2"))
    assert bench.world.ran == ["G1"]
    assert bench.of(ev.StepFinished)[0].outcome.verdict.green
    assert said_of_window(bench) == ["the window of stage G closed 12 min ago (at 2026-11-21 20:00 +01:00)"]
    assert bench.events[-1].state == "failed"


async def test_a_window_that_closes_while_the_operator_thinks_takes_the_question_back(bench: Bench) -> None:
    bench.operator.typed = ["19:00-20:00"]
    shown: list[Moment] = []

    async def decide(moment: Moment) -> Decided:
        shown.append(moment)
        if moment.unmet:
            return Decided(Decision.STOP)
        asyncio.get_running_loop().call_soon(bench.clock.set, "2026-11-21T20:00+01:00")
        await asyncio.Event().wait()
        raise AssertionError

    bench.operator.decide = decide  # type: ignore[method-assign]
    await bench.walk(windowed("G1"))
    assert [bool(moment.unmet) for moment in shown] == [False, True]
    assert bench.world.ran == []


async def test_a_window_that_closes_while_the_phrase_is_typed_keeps_the_step_from_starting(bench: Bench) -> None:
    bench.operator.typed = ["19:00-20:00"]

    async def slowly(request: PhraseRequest) -> bool:
        bench.clock.set("2026-11-21T20:01+01:00")
        return True

    bench.operator.type_phrase = slowly  # type: ignore[method-assign]
    await bench.walk({**G, "steps": [check("G1", gate={"phrase": "GO"})]})
    assert bench.world.ran == []
    assert bench.of(ev.StepStarted) == []
    (finished,) = bench.of(ev.StepFinished)
    assert finished.outcome.symptom == "gate closed"
    assert "closed 1 min ago" in finished.outcome.summary


async def test_a_window_is_changed_with_a_reason_which_is_a_deviation(bench: Bench) -> None:
    bench.operator.typed = ["22:00-23:30", "19:00-23:30", "the freeze was lifted"]
    bench.operator.decisions = [Decided(Decision.WINDOW)]
    await bench.walk(windowed("G1"))
    assert bench.world.ran == ["G1"]
    assert [event.reason for event in bench.of(WindowSet)] == ["", "the freeze was lifted"]
    assert bench.engine is not None
    assert "the window of stage G was changed: the freeze was lifted" in bench.engine.state.deviations
    told = fold(read_events(bench.folder / "run" / "journal.jsonl"))
    assert told.windows == {"G": ("2026-11-21T19:00:00+01:00", "2026-11-21T23:30:00+01:00")}


@pytest.mark.parametrize("left_at", ["the window", "the reason"])
async def test_a_change_that_is_left_changes_nothing(bench: Bench, left_at: str) -> None:
    bench.operator.typed = ["22:00-23:30"] + (["19:00-23:30"] if left_at == "the reason" else [])
    bench.operator.decisions = [Decided(Decision.WINDOW)]
    await bench.walk(windowed("G1"))
    assert bench.world.ran == []
    assert len(bench.of(WindowSet)) == 1


async def test_without_a_window_no_step_of_the_stage_starts_and_it_can_be_given_later(bench: Bench) -> None:
    texts = iter([None, "19:00-23:30"])
    asked: list[str] = []

    async def text(request: TextRequest) -> str:
        from runbook.errors import PromptCancelled

        asked.append(request.question)
        answer = next(texts)
        if answer is None:
            raise PromptCancelled("it was left")
        return answer

    bench.operator.text = text  # type: ignore[method-assign]
    bench.operator.decisions = [Decided(Decision.WINDOW, "it was forgotten")]
    await bench.walk(windowed("G1"))
    assert said_of_window(bench) == ["the window of stage G (Cutover) is not given: it was left"]
    assert bench.of(WindowSet)[0].reason == "", "the first one is no change"
    assert len(asked) == 2
    assert bench.world.ran == ["G1"]


async def test_a_step_that_was_to_be_tried_again_waits_for_a_person_once_the_window_opens_anew(bench: Bench) -> None:
    bench.operator.typed = ["19:00-20:00", "21:00-22:00", "late"]
    shown: list[Moment] = []
    from runbook.outcome import Outcome

    def red(_: object) -> Outcome | None:
        if bench.world.ran.count("G1") > 1:
            return None
        bench.clock.set("2026-11-21T20:30+01:00")
        return Outcome.failed("red")

    async def decide(moment: Moment) -> Decided:
        shown.append(moment)
        if moment.outcome:
            return Decided(Decision.RETRY)
        if moment.opens:
            bench.clock.set("2026-11-21T21:00+01:00")
            await asyncio.Event().wait()
        return Decided(Decision.WINDOW) if moment.unmet else Decided(Decision.RUN)

    bench.world.behaviour["G1"] = red
    bench.operator.decide = decide  # type: ignore[method-assign]
    await bench.walk(windowed("G1"))
    assert [bool(moment.unmet) for moment in shown] == [False, False, True, True, False]
    assert shown[-1].outcome is None, "the operator was asked once more"
    assert bench.world.ran == ["G1", "G1"]


async def test_other_things_missing_are_not_waited_for(bench: Bench) -> None:
    bench.operator.typed = ["22:00-23:30"]
    steps = [check("G1", requires=["lit"])]
    await bench.walk({**G, "steps": steps}, facts={"lit": "It is lit"})
    (moment,) = bench.operator.moments
    assert len(moment.unmet) == 2
    assert moment.opens == "", "waiting would not help"
