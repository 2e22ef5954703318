"""A sample of the killing (`python -m tests.killing` does all of it): whatever ends a driver, the run goes on.

Nothing is lost, nothing is done twice, and the card never compares a PIN that is not on record.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator

import pytest

from rehearsal.token import TokenKind
from tests.killing import full_disk, hangup
from tests.killing.cases import Case, Undisturbed, at_every_write, run
from tests.killing.hangup import Drop
from tests.killing.place import LINES, Place
from tests.killing.points import Phase, Point

USUAL = Undisturbed(records=63, seconds=2.0)


def sample() -> Iterator[Case]:
    chance = random.Random(20261121)
    for token, count in ((TokenKind.SOFTHSM, 5), (TokenKind.CARD, 2)):
        yield from chance.sample(list(at_every_write(token, USUAL.records, chance)), count)
    yield Case(TokenKind.CARD, share=chance.random())
    yield Case(TokenKind.SOFTHSM, share=chance.random(), power=chance.random())


@pytest.mark.parametrize("case", list(sample()), ids=str)
def test_a_run_that_is_killed_goes_on(case: Case) -> None:
    done = run(case, USUAL)

    assert done.problems == ()
    assert done.killed or case.point is None


@pytest.mark.parametrize("drop", [Drop(7), Drop(13, after=0.1)], ids=str)
def test_a_run_whose_line_drops_goes_on(drop: Drop) -> None:
    problems, asked = hangup.run(drop)

    assert problems == []
    assert asked == drop.question


def test_a_run_whose_state_folder_fills_up_goes_on() -> None:
    done = full_disk.apart(40)

    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout.startswith("full 0 "), "there was room enough from the start"


def test_the_judge_sees_what_is_done_twice_and_what_is_lost() -> None:
    place = Place(TokenKind.SOFTHSM)
    place.finish(place.start(place.rehearse, Point(Phase.SYNCED, 38)))
    (place.lab / "ledger").write_text(f"{LINES[0]}\n{LINES[0]}\n")  # as if it had been done twice

    place.complete()

    assert any("the ledger says" in problem for problem in place.close())
    shutil.rmtree(place.home)
