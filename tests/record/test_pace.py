"""How long steps are expected to take, and how it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.model import Runbook
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.record.pace import Pace, about, expected, length, measured, said
from runbook.record.state import RunState, fold
from tests.record.sample import PAIR, Write

RUNBOOK = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "hsm",
        "title": "T",
        "stages": [
            {
                "id": "A",
                "title": "A",
                "steps": [
                    {"id": "A1", "title": "one", "check": "slots", "takes": "2m"},
                    {"id": "A2", "title": "two", "check": "slots"},
                    {"id": "A3", "title": "three", "check": "slots"},
                ],
            }
        ],
    }
)
STEPS = RUNBOOK.stages[0].steps


def _green(step: str, seconds: float) -> ev.StepFinished:
    from checks.evidence.fingerprints import PaperFingerprint

    paper = PaperFingerprint(file="f", subject="s", method="blind", pair=PAIR)
    return ev.StepFinished(step, 1, Outcome.passed("ok", paper), seconds=seconds)


def _header(run: str, runbook: str = "hsm", *, rehearsal: bool = False) -> ev.RunStarted:
    return ev.RunStarted(run, runbook, "T", "", "s", "", "p", "h", "o", rehearsal)


async def test_the_median_of_earlier_runs_of_the_same_kind(write: Write, tmp_path: Path) -> None:
    for number, seconds in enumerate((3.0, 1.0, 50.0)):
        run = f"2026010{number}-000000-hsm-aaaa"
        await write(_header(run), _green("A1", seconds), _green("A2", 2.0), folder=tmp_path / run)
    failed = ev.StepFinished("A3", 1, Outcome.failed("no"), seconds=99.0)
    await write(_header("x"), failed, folder=tmp_path / "20260104-000000-hsm-aaaa")
    await write(_header("x", rehearsal=True), _green("A1", 0.1), folder=tmp_path / "20260105-000000-hsm-aaaa")
    await write(_header("x", "hsm-other"), _green("A1", 0.2), folder=tmp_path / "20260106-000000-hsm-other-aaaa")
    await write(_header("x"), _green("A1", 0.3), folder=tmp_path / "20260107-000000-hsm-this")
    (tmp_path / "20260108-000000-hsm-torn").mkdir()
    (tmp_path / "20260108-000000-hsm-torn" / "journal.jsonl").write_bytes(b"{\n")
    found = measured(tmp_path, "hsm", rehearsal=False, but="20260107-000000-hsm-this")
    assert found == {"A1": 3.0, "A2": 2.0}
    assert measured(tmp_path, "hsm", rehearsal=True) == {"A1": 0.1}
    assert measured(tmp_path / "nowhere", "hsm", rehearsal=False) == {}


def test_the_runbook_has_the_first_word() -> None:
    assert expected(RUNBOOK, {"A1": 5.0, "A2": 6.0, "gone": 7.0}).of == {"A1": 120.0, "A2": 6.0}


def test_what_is_left() -> None:
    pace = Pace({"A1": 120.0, "A2": 6.0})
    ahead = pace.among(STEPS)
    assert ahead.left(RunState()) == (126.0, False), "nothing is known of A3"
    running = fold([ev.StepStarted("A1", 1, "slots", {})])
    assert ahead.left(running, 20.0) == (106.0, False)
    assert ahead.left(running, 500.0) == (6.0, False), "a late step takes nothing from the others"
    over = fold([_green("A1", 3.0), ev.StepSkipped("A3", "no")])
    assert ahead.left(over) == (6.0, True)


@pytest.mark.parametrize(
    ("took", "wanted", "over", "words"),
    [
        (1.23, 30.0, True, "1.2 s, expected about 30 s"),
        (1.23, None, True, "1.2 s"),
        (12.7, 30.0, False, "12 s, expected about 30 s"),
        (31.0, 30.0, False, "31 s, expected about 30 s"),
        (130.0, 90.0, False, "2 min 10 s, 40 s longer than expected (1 min 30 s)"),
        (4.4, 0.1, True, "4.4 s"),
        (1.9, 1.0, False, "1 s, expected about 1 s"),
    ],
)
def test_time_in_words(took: float, wanted: float | None, over: bool, words: str) -> None:
    assert said(took, wanted, over=over) == words


def test_lengths() -> None:
    assert [length(seconds) for seconds in (0.04, 9.94, 9.96, 59.4, 60, 130, 3600, 3900)] == [
        *("0.0 s", "9.9 s", "10 s", "59 s", "1 min", "2 min 10 s", "1 h", "1 h 5 min")
    ]
    assert [about(seconds) for seconds in (0.2, 19, 33, 89, 100, 3600, 4000)] == [
        *("1 s", "19 s", "35 s", "1 min 30 s", "1 min 30 s", "1 h", "1 h 7 min")
    ]
